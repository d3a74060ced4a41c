"""Rows are compared with the database role, which all callers share.

What it finds
    Policies that compare a column with current_user, current_role or session_user on Supabase, where
    everybody who is signed in arrives as authenticated.

Why it matters
    current_user is the same word for all people: the policy either shows a row to nobody or to everybody.

Fix
    Compare with (select auth.uid()).

When to ignore
    A column that holds the names of API roles on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Facts
from tools.rls.objects import Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import bare
from tools.rls.wording import listed, on_policy, remark

_ROLES = frozenset({10, 11, 12, 13})
"""SQLValueFunction: CURRENT_ROLE, CURRENT_USER, USER and SESSION_USER."""


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy; on plain Postgres a role may well stand for a tenant."""
    reached = reach(snapshot)
    for relation in snapshot.relations.values() if snapshot.supabase else ():
        for policy in relation.policies:
            columns = sorted({name for part in policy.parts() for name in _compared(reached, relation, part)})
            callers = snapshot.addressed(policy)
            if columns and callers:
                yield on_policy(
                    "policy_compares_session_role", Level.WARN, relation, policy,
                    f"Policy {policy.name} compares {listed(columns)} of {relation.title} with the database"
                    f" role, which is {listed(callers)} for everybody.",
                    fix=remark(f"in {policy.title}: (select auth.uid()) in place of the role"),
                    rank=44,
                )  # fmt: skip


def _compared(reached: Reach, own: Relation, facts: Facts) -> Iterator[str]:
    refs = {id(column.node): column for column in facts.columns}
    for comparison in facts.comparisons:
        for one, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
            column, value = refs.get(id(bare(one))), bare(other)
            role = value is not None and value.kind == "SQLValueFunction" and value.number("op") in _ROLES
            if column is not None and role and reached.column(column, own) == (own, column.name):
                yield column.name


RULE = Rule(
    name="policy_compares_session_role",
    title="Rows are compared with the database role, which all callers share",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
