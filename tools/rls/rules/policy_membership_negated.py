"""A policy opens the rows that are not the caller's.

What it finds
    Permissive policies with an alternative that asks for nothing but that the row's parent is not among those
    of the caller (not profile_id = any (array(select my_profiles())), not is_member(org_id)), where other
    policies open rows of the same parent, or functions that policies call look something up, by that very
    helper.

Why it matters
    The condition is upside down: every caller reaches everybody's rows except the own ones.

Fix
    Take the negation away.

When to ignore
    Never: rows for those who are not members need a condition that says which rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.diffing.normal import Normal
from tools.rls.gates import WRITING, Gate, Gates, gates
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.wording import doing, listed, on_policy, rank, remark

_COMMANDS = ("SELECT", *WRITING)


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached, every = reach(snapshot), gates(snapshot)
    for relation in snapshot.tables:
        for policy in relation.policies if relation.rls else ():
            texts = f"{policy.using_text} {policy.check_text}".lower()
            negated = "not" in texts or "<>" in texts or "false" in texts
            gate = _upside_down(every, relation, policy) if policy.permissive and negated else None
            if gate is not None and _opens(reached, every, gate):
                yield _finding(snapshot, relation, policy, gate)


def _upside_down(every: Gates, relation: Relation, policy: Policy) -> Gate | None:
    """The gate of an alternative that is its negation and nothing else."""
    for new_row in (False, True):
        for literals in every.literals(relation, policy, new_row=new_row):
            gate = every.gate(relation, literals[0][1]) if literals[0][0] == "not" else None
            if len(literals) == 1 and gate is not None:
                return gate
    return None


def _opens(reached: Reach, every: Gates, gate: Gate) -> bool:
    """Whether the helper opens rows elsewhere, as it stands."""
    if any(one.function == gate.function for _, one in every.on(gate.parent, _COMMANDS)):
        return True
    for function, _ in reached.policy_functions.values():
        called = {f"{one.schema}.{one.name}" for one in reached.called_by(function)}
        if gate.function in called and gate.form[0] == "among":
            normal = Normal(reached.snapshot, reached.path(function), function=function)
            if any(_looks_up(normal.value(f.root, normal.top), gate) for f in body_of(function).facts):
                return True
    return False


def _looks_up(form: object, gate: Gate) -> bool:
    """Whether a value must be among what the helper gives, outside any NOT."""
    if isinstance(form, frozenset):
        return any(_looks_up(part, gate) for part in cast("frozenset[object]", form))
    if not isinstance(form, tuple) or not form or form[0] == "not":
        return False
    parts = cast("tuple[Any, ...]", form)
    if parts[0] == "among" and parts[2] == gate.form[2]:
        return True
    return any(_looks_up(part, gate) for part in parts)


def _finding(snapshot: Snapshot, relation: Relation, policy: Policy, gate: Gate) -> Finding:
    exposure = snapshot.exposure(relation)
    callers = [name for name in snapshot.addressed(policy) if name in exposure]
    commands = {c for c in _COMMANDS if policy.covers(c) and any(c in exposure[name] for name in callers)}
    return on_policy(
        "policy_membership_negated", Level.ERROR if commands else Level.WARN, relation, policy,
        f"Policy {policy.name} lets {listed(callers) or 'callers'} {doing(commands) or 'reach'}"
        f" {relation.title} where {gate.said} does not name the row: every row but the own ones.",
        fix=remark(f"take the negation before {gate.said} away in policy {policy.name} on {relation.title}"),
        rank=rank(snapshot, relation, callers),
    )  # fmt: skip


RULE = Rule(
    name="policy_membership_negated",
    title="A policy opens the rows that are not the caller's",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
