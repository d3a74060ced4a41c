"""A policy looks at the row and never at who is asking.

What it finds
    Permissive policies with a way to pass that tests columns of the row (status = 'open', deleted_at is
    null) and asks nothing about the caller, or only whether somebody is signed in: for UPDATE and DELETE on
    any table, for SELECT on tables whose rows belong to people. Reading what is marked as public
    (is_public, status = 'published', shared), rows without an owner, and kinds of things that are published
    anyway (posts, likes) are left out. A SELECT is a WARN unless the table holds something intimate. What
    is true for every row is rls_policy_always_true's.

Why it matters
    Everybody whom the policy addresses reads or changes every row in that state, whoever it belongs to.

Fix
    Add the owner: using (user_id = (select auth.uid()) and status = 'open').

When to ignore
    Rows that are meant for everybody as soon as they are in that state, such as offers on a market place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.accounts import (
    INTIMATE,
    is_account,
    own_columns,
    published,
    restrained,
    through_policies,
    usual_condition,
)
from tools.rls.facts import Facts
from tools.rls.objects import Policy, Relation
from tools.rls.outcomes import Asked, outcome
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.sqltree import IS_NULL, Node, bare, conjuncts, disjuncts
from tools.rls.truth import NOBODY, SIGNED_IN, truth, truth_of
from tools.rls.wording import altered, listed, on_policy, personal, rank, signed_in

_PUBLIC = re.compile(
    r"public|publish|privat|visib|shar(e|ing)|discover|searchable|listed|approved|featured|template|global|sample|demo|"
    r"verified",
    re.IGNORECASE,
)
_OWNERS = frozenset({"user_id", "owner_id", "profile_id"})
_ROLES = frozenset({10, 11, 12, 13})
_VERBS = {"SELECT": "read", "UPDATE": "update", "DELETE": "delete"}


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    for relation in snapshot.tables:
        if not relation.rls or relation.schema in PLATFORM_SCHEMAS:
            continue
        for policy in relation.policies if any(p.permissive for p in relation.policies) else ():
            if policy.permissive and policy.using is not None:
                yield from _policy(snapshot, reached, relation, policy, policy.using)


def _policy(
    snapshot: Snapshot, reached: Reach, relation: Relation, policy: Policy, facts: Facts
) -> Iterator[Finding]:
    ways = list(disjuncts(facts.root))
    plain = len(ways) == 1 and not any(part.kind == "NullTest" for part in conjuncts(ways[0]))
    if plain and reached.identifies(facts):
        return  # the usual policy, and the quick answer
    ways = [way for way in ways if _ignores(reached, facts, way)]
    if not ways or truth(reached, facts, relation) != NOBODY:
        return
    tested = all(any(truth_of(reached, p, relation) == SIGNED_IN for p in conjuncts(way)) for way in ways)
    callers = snapshot.addressed(policy)
    callers = signed_in(callers) if tested else callers
    opened: dict[str, list[str]] = {}
    for command in _VERBS:
        strict = restrained(reached, relation, command)
        reading = command == "SELECT" and not _belongs(reached, relation, facts, ways)
        if not policy.covers(command) or strict or reading:
            continue
        holders = [
            name for name in callers
            if command in snapshot.may(snapshot.roles[name], relation)
            and any(True in _comes_to(reached, relation, name, way) for way in ways)
        ]  # fmt: skip
        if holders:
            opened[command] = holders
    if not opened:
        return
    roles = list(dict.fromkeys(name for several in opened.values() for name in several))
    mild = set(opened) == {"SELECT"} and not any(INTIMATE.search(name) for name in relation.columns)
    owner = usual_condition(snapshot, relation, policy) or "<the row's owner> = (select auth.uid())"
    yield on_policy(
        "policy_ignores_caller", Level.WARN if mild else Level.ERROR, relation, policy,
        f"Policy {policy.name} lets {listed(roles)} {listed(_VERBS[command] for command in opened)} any row"
        f" of {relation.title} that is in a certain state, whoever it belongs to.",
        fix=altered(policy, relation, f"using ({policy.using_text} and {owner})"),
        rank=rank(snapshot, relation, roles) + (30 if mild else 2),
    )  # fmt: skip


def _ignores(reached: Reach, facts: Facts, way: Node) -> bool:
    inner = facts.within(way)
    looks = bool(inner.columns) or any(block.sources for block in inner.blocks)
    return looks and not any(_asks(reached, facts, part) for part in conjuncts(way))


def _asks(reached: Reach, facts: Facts, part: Node) -> bool:
    """Whether a part depends on the caller: as a person, as a database role, or by other policies."""
    inner = facts.within(part)
    if part.kind == "NullTest":
        subject = bare(part.one("arg"))
        if subject is not None and subject.words("funcname") == ("auth", "uid"):
            return False
    if reached.identifies(inner) or through_policies(reached, inner):
        return True
    if any(node.kind == "SQLValueFunction" and node.number("op") in _ROLES for node in part.walk()):
        return True
    return any(
        (call.schema == "auth" and call.name != "role") or "has_role" in call.name or "privilege" in call.name
        for call in inner.calls
    )


def _belongs(reached: Reach, relation: Relation, facts: Facts, ways: list[Node]) -> bool:
    """Whether rows shown by some way are people's own, and nothing says that they are meant for everybody."""
    snapshot = reached.snapshot
    if not personal(snapshot, relation) or published(snapshot, relation):
        return False
    parts = [facts.within(part) for way in disjuncts(facts.root) for part in conjuncts(way)]
    tying = {name for one in parts if reached.identifies(one) for name in own_columns(reached, relation, one)}
    return any(not _meant_for_all(snapshot, relation, facts, way, tying) for way in ways)


def _meant_for_all(snapshot: Snapshot, relation: Relation, facts: Facts, way: Node, tying: set[str]) -> bool:
    """Marked as public, or without an owner: the key by which another alternative ties rows to the caller."""
    inner = facts.within(way)
    words = [*(column.name for column in inner.columns), *inner.constants]
    if any(_PUBLIC.search(word) for word in words):
        return True
    for part in conjuncts(way):
        subject = bare(part.one("arg"))
        if part.kind == "NullTest" and part.number("nulltesttype") == IS_NULL and subject is not None:
            name = subject.words("fields")[-1] if subject.kind == "ColumnRef" else ""
            if name in tying or is_account(snapshot, relation, name) or name in _OWNERS:
                return True
    return False


def _comes_to(reached: Reach, relation: Relation, role: str, way: Node) -> frozenset[bool | None]:
    return outcome(Asked(reached, role, signed_in=role != "anon", own=relation), way)


RULE = Rule(
    name="policy_ignores_caller",
    title="A policy looks at the row and never at who is asking",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
