"""A policy for writing asks for less than its siblings do.

What it finds
    Policies for INSERT, UPDATE or DELETE that reach the row's parent (a profile, an organisation) by a helper
    or level word which provably lets more callers through than that of the siblings: than the UPDATE policy
    of the same table, for a DELETE; or than the policies of all other tables with the same parent, three at
    least, while no other writing policy of the table asks for as little. Where callers write rows under their
    own name only, or insert what they may not read (a log), it stays silent. Helpers are compared by what
    they do, not by their names; where several tables show the same, the helper itself is named.

Why it matters
    One word (readable for writable, 'read' for 'write') turns everybody who may look into somebody who may
    change or destroy.

Fix
    Ask for what the siblings ask.

When to ignore
    Rows that more people may write on purpose, such as a diary that everybody adds to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.findings import Finding, Level, Rule
from tools.rls.gates import WRITING, Gate, Gated, Gates, gates
from tools.rls.objects import Policy, Relation
from tools.rls.snapshot import Snapshot
from tools.rls.wording import altered, body_in_short, doing, listed, on_function, on_policy, personal, remark

_SIBLINGS = 3


@dataclass(frozen=True)
class _Weak:
    gated: Gated
    gate: Gate
    asked: Gate
    where: str

    @property
    def policy(self) -> Policy:
        return self.gated.by[self.gate]


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy; one for the helper where it is weaker than another in several tables."""
    every = gates(snapshot)
    found: dict[str, _Weak] = {}
    for (_, command), gated in every.every.items():
        for gate in gated.by if command in WRITING and _usable(snapshot, gated) else ():
            weak = _on_its_own_table(every, gated, gate) or _among_tables(every, gated, gate)
            if weak is not None:
                found.setdefault(weak.policy.title, weak)
    pairs: dict[tuple[str, str], list[_Weak]] = {}
    for weak in found.values():
        pairs.setdefault((weak.gate.function, weak.asked.function), []).append(weak)
    for (function, other), several in pairs.items():
        if len(several) >= _SIBLINGS and function != other:
            yield from _of_helper(snapshot, several)
        else:
            yield from (_of_policy(snapshot, weak) for weak in several)


def _usable(snapshot: Snapshot, gated: Gated) -> bool:
    exposure = snapshot.exposure(gated.relation)
    return any(gated.command in held for held in exposure.values())


def _on_its_own_table(every: Gates, gated: Gated, gate: Gate) -> _Weak | None:
    """DELETE that asks for less than UPDATE."""
    changing = every.every.get((gated.relation.title, "UPDATE"))
    if gated.command != "DELETE" or changing is None or gated.by[gate].command == "ALL":
        return None
    asked, own = changing.on(gate.parent), gated.on(gate.parent)
    if len(asked) != 1 or len(own) != 1 or (gate.own and not asked[0].own):
        return None
    if not every.narrower(asked[0], gate):
        return None
    return _Weak(gated, gate, asked[0], f"to update {gated.relation.title}")


def _among_tables(every: Gates, gated: Gated, gate: Gate) -> _Weak | None:
    """Less than all other tables of the same parent ask for."""
    title, order = gated.relation.title, every.narrower
    if len(gated.on(gate.parent)) != 1 or (gated.command == "INSERT" and _unread(every, gated, gate)):
        return None
    ours = [
        other
        for command in WRITING
        if command != gated.command and (beside := every.every.get((title, command))) is not None
        for other in beside.on(gate.parent)
    ]
    if any(other.form == gate.form or order(gate, other) for other in ours):
        return None
    if gate.own and not any(other.own and order(other, gate) for other in ours):
        return None
    siblings = _siblings(every, gated, gate)
    if len({other.relation.title for other, _ in siblings}) < _SIBLINGS:
        return None
    if not all(order(one, gate) for _, one in siblings):
        return None
    asked = _usual([one for _, one in siblings])
    return _Weak(gated, gate, asked, f"in {len({o.relation.title for o, _ in siblings})} other tables")


def _siblings(every: Gates, gated: Gated, gate: Gate) -> list[tuple[Gated, Gate]]:
    """The same command's gates elsewhere; of a helper with level words, those of any writing command."""
    found: list[tuple[Gated, Gate]] = []
    worded = gate.form[0] == "call"
    for other, one in every.on(gate.parent, WRITING if worded else (gated.command,)):
        if other.relation.title == gated.relation.title or (worded and one.function != gate.function):
            continue
        if not _unread(every, other, one):
            found.append((other, one))
    return found


def _unread(every: Gates, gated: Gated, gate: Gate) -> bool:
    """Whether more callers write than read: a log, or a letter box."""
    reading = every.every.get((gated.relation.title, "SELECT"))
    return reading is not None and any(every.narrower(one, gate) for one in reading.on(gate.parent))


def _usual(several: list[Gate]) -> Gate:
    forms = [gate.form for gate in several]
    return max(several, key=lambda gate: (forms.count(gate.form), gate.said))


def _of_policy(snapshot: Snapshot, weak: _Weak) -> Finding:
    relation, policy = weak.gated.relation, weak.policy
    return on_policy(
        "policy_weaker_than_siblings", Level.WARN, relation, policy,
        f"Policy {policy.name} lets callers {doing([weak.gated.command])} {relation.title} by"
        f" {weak.gate.said}, which lets more of them through than {weak.asked.said}, which is asked"
        f" {weak.where}.",
        fix=_fix(relation, policy, weak),
        rank=24 if personal(snapshot, relation) else 40,
    )  # fmt: skip


def _fix(relation: Relation, policy: Policy, weak: _Weak) -> str:
    """The policy with the siblings' helper or word, where its text can be changed that simply."""
    called = re.escape(weak.gate.function)
    words = zip(weak.gate.words, weak.asked.words, strict=False)
    differing = [(one, other) for one, other in words if one != other]
    clauses: list[str] = []
    for word, text in (("using", policy.using_text), ("with check", policy.check_text)):
        if text and weak.gate.function != weak.asked.function and not weak.gate.words:
            text = re.sub(rf"\b{called}\(\)", f"{weak.asked.function}()", text)
        for one, other in differing if text else ():
            text = re.sub(rf"\b({called}\([^()]*)'{re.escape(one)}'", rf"\1'{other}'", text or "")
        clauses += [f"{word} ({text})"] if text else []
    changed = any(text not in " ".join(clauses) for text in (policy.using_text, policy.check_text) if text)
    if not changed:
        return remark(f"ask for {weak.asked.said} in policy {policy.name} on {relation.title}")
    return altered(policy, relation, " ".join(clauses))


def _of_helper(snapshot: Snapshot, several: list[_Weak]) -> Iterator[Finding]:
    first = several[0]
    for function in snapshot.functions_named.get(first.gate.function, ()):
        tables = listed(weak.gated.relation.title for weak in several)
        yield on_function(
            "policy_weaker_than_siblings", Level.WARN, function,
            f"{function.title} lets more callers through than {first.asked.said}: it decides who may"
            f" {doing({weak.gated.command for weak in several})} {tables}, where the siblings ask for"
            f" {first.asked.said}.",
            evidence=body_in_short(function),
            fix=remark(f"narrow {function.title}, or ask for {first.asked.said} in its place"),
            rank=24,
        )  # fmt: skip


RULE = Rule(
    name="policy_weaker_than_siblings",
    title="A policy for writing asks for less than its siblings do",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
