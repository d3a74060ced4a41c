"""A member with some rights can give himself all of them.

What it finds
    UPDATE and INSERT policies of a membership table that a lower role may use (admins manage the members)
    and that leave the role column free, while other policies ask for fewer roles than these policies do
    (owners only). For an UPDATE the caller's own row must be within reach. Column privileges, what WITH
    CHECK says about the column, and triggers that name it and can refuse are taken into account.

Why it matters
    An admin makes himself owner, or appoints a second account of his own, and then does what only owners
    may: take the family over, put the founder out, delete the record.

Fix
    Say in WITH CHECK which roles may be given (role in ('member', 'admin')), or leave the change to a
    procedure that compares the giver's role.

When to ignore
    Admins who may become owners by design.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.facts import Column, Facts
from tools.rls.guards import guarded
from tools.rls.objects import Function, Policy, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import Node, bare, constant
from tools.rls.trust import Place, trusts
from tools.rls.wording import altered, listed, literal, on_policy, quoted, signed_in

_ROLE = re.compile(r"(^|_)(roles?|levels?|permissions?|access|rank)$")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy of the membership table."""
    reached = reach(snapshot)
    asked = _asked(reached)
    for relation in snapshot.tables:
        for policy in relation.policies if relation.rls else ():
            for place, mine in asked.get(policy.title, {}).items():
                commands = _free(snapshot, reached, relation, policy, place) if mine else []
                above = _narrower(asked, policy, place, mine) if commands else None
                if above is not None:
                    yield _finding(snapshot, relation, policy, place, mine, commands, above)


def _finding(
    snapshot: Snapshot, relation: Relation, policy: Policy, place: Place, mine: set[str],
    commands: list[str], above: tuple[str, set[str]],
) -> Finding:  # fmt: skip
    other, needed = above
    gains = "change their own" if "UPDATE" in commands else "appoint an account with any"
    kept = ", ".join(literal(word) for word in sorted(mine - needed))
    old = policy.check_text or policy.using_text or "true"
    return on_policy(
        "policy_raises_own_role", Level.ERROR, relation, policy,
        f"Policy {policy.name} lets {listed(signed_in(snapshot.addressed(policy)))} with"
        f" {place[1]} {listed(sorted(mine))} {gains} {place[1]} in {relation.title}, also to"
        f" {listed(sorted(needed))}, which {other} asks for.",
        fix=altered(policy, relation, f"with check ({old} and {quoted(place[1])}::text in ({kept}))"),
        rank=5,
    )  # fmt: skip


def _asked(reached: Reach) -> dict[str, dict[Place, set[str]]]:
    """For each policy the role columns it looks the caller up by, with the values that pass."""
    by_policy: dict[str, dict[Place, set[str]]] = {}
    by_function: dict[int, dict[Place, set[str]]] = {}
    for trust in trusts(reached.snapshot):
        found = {place: words for place, words in trust.tests.items() if _ROLE.search(place[1])}
        found = {
            place: words for place, words in found.items() if any(place[0] == t for t, _ in trust.identity)
        }
        if trust.unit.policy is not None:
            _add(by_policy.setdefault(trust.unit.policy.title, {}), found)
        elif trust.unit.function is not None:
            _add(by_function.setdefault(trust.unit.function.oid, {}), found)
    for policy in reached.snapshot.policies if by_function else ():
        parts = list(policy.parts())
        for function in reached.closure(f for part in parts for f in reached.reached(part)):
            for place, words in by_function.get(function.oid, {}).items():
                passed = words or _passed(reached, parts, function)
                _add(by_policy.setdefault(policy.title, {}), {place: passed})
    return by_policy


def _add(into: dict[Place, set[str]], found: dict[Place, set[str]]) -> None:
    for place, words in found.items():
        into.setdefault(place, set()).update(words)


def _passed(reached: Reach, parts: list[Facts], function: Function) -> set[str]:
    """String constants that calls of the function hand over: has_role(family_id, 'admin')."""
    members = reached.closure(f for part in parts for f in reached.reached(part))
    every = [((), part) for part in parts]
    every += [(reached.path(m), facts) for m in members for facts in body_of(m).facts]
    found: set[str] = set()
    for path, facts in every:
        for call in facts.calls:
            if function in reached.resolve(call, path):
                handed = [*call.arguments, *_compared(facts, call.node)]
                values = [constant(node) for one in handed for node in one.walk()]
                found |= {value for value in values if isinstance(value, str)}
    return found


def _compared(facts: Facts, call: Node) -> Iterator[Node]:
    """What the answer of a call must be: role_in(team_id) in ('owner', 'captain')."""
    for node in facts.root.walk():
        left = bare(node.one("lexpr")) if node.kind == "A_Expr" and node.words("name") == ("=",) else None
        right = node.one("rexpr") if left is call else None
        if right is not None:
            yield right


def _narrower(
    asked: dict[str, dict[Place, set[str]]], policy: Policy, place: Place, mine: set[str]
) -> tuple[str, set[str]] | None:
    """Another policy that lets only some of these roles pass."""
    for title, places in sorted(asked.items()):
        words = places.get(place, set())
        if title != policy.title and words and words < mine:
            return title, words
    return None


def _free(snapshot: Snapshot, reached: Reach, relation: Relation, policy: Policy, place: Place) -> list[str]:
    """Commands by which the policy lets the role column of its own table be set to anything."""
    new_row, column = policy.new_row, place[1]
    if place[0] != relation.title or not policy.permissive or new_row is None:
        return []
    callers = [snapshot.roles[name] for name in signed_in(snapshot.addressed(policy))]
    named = {c.name for c in new_row.columns if _own(relation, c)}
    named |= {
        c.name for p in relation.policies if not p.permissive and p.new_row for c in p.new_row.columns
    }  # fmt: skip
    found: list[str] = []
    for command in ("UPDATE", "INSERT"):
        able = any(snapshot.may_column(role, relation, column, command) for role in callers)
        if not policy.covers(command) or not able or column in named | guarded(reached, relation, command):
            continue
        if command == "UPDATE" and (policy.using is None or _spares_caller(policy.using)):
            continue
        found.append(command)
    return found


def _own(relation: Relation, column: Column) -> bool:
    """Whether a reference means the policy's row and no source of a subquery."""
    sources = [source for block in column.block.chain() for source in block.sources]
    if column.qualifier:
        return column.qualifier == relation.name and not any(s.alias == column.qualifier for s in sources)
    return not sources


def _spares_caller(facts: Facts) -> bool:
    """Whether the caller's own row is out of reach: user_id <> auth.uid()."""
    return any(
        comparison.operator == "<>" and comparison.block is facts.top
        and any(node.words("funcname") == ("auth", "uid") for node in comparison.node.walk())
        for comparison in facts.comparisons
    )  # fmt: skip


RULE = Rule(
    name="policy_raises_own_role",
    title="A member with some rights can give himself all of them",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
