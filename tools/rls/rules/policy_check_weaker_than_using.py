"""WITH CHECK lets a row be moved to somebody else.

What it finds
    UPDATE (or ALL) policies whose USING compares an owner column with the caller while the explicit WITH
    CHECK does not mention that column, where a caller may update the column and no trigger that can refuse
    names it. An UPDATE policy without WITH CHECK is left out: Postgres then applies USING to the new row as
    well.

Why it matters
    A caller takes an own row and writes another profile's id into it: the row appears in that record. This is
    how one family's data contaminates another's.

Fix
    Repeat the condition of USING in WITH CHECK, or leave WITH CHECK out.

When to ignore
    Rows that are handed over on purpose; then the receiving side should be checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.guards import guarded
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import conjuncts, disjuncts
from tools.rls.wording import altered, listed, on_policy, personal


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy; one that lets rows be inserted freely too is rls_policy_always_true's."""
    reached = reach(snapshot)
    for relation in snapshot.tables:
        for policy in relation.policies if relation.rls else ():
            columns = freed(snapshot, reached, relation, policy)
            everything = policy.covers("INSERT") and (policy.check_text or "").strip("() ").lower() == "true"
            if columns and not everything:
                yield on_policy(
                    "policy_check_weaker_than_using",
                    Level.ERROR,
                    relation,
                    policy,
                    f"Policy {policy.name} checks {listed(columns)} before an update of"
                    f" {relation.title} and not after"
                    " it: callers can move their rows to somebody else.",
                    fix=altered(
                        policy, relation, f"with check ({policy.using_text} and {policy.check_text})"
                    ),
                    rank=6 if personal(snapshot, relation) else 30,
                )


def freed(snapshot: Snapshot, reached: Reach, relation: Relation, policy: Policy) -> list[str]:
    """Owner columns that an UPDATE under this policy may set to anything."""
    if not policy.permissive or not policy.covers("UPDATE") or policy.using is None or policy.check is None:
        return []
    kept = {column.name for column in policy.check.columns} | guarded(reached, relation, "UPDATE")
    for other in relation.policies:
        if not other.permissive and other.covers("UPDATE") and other.new_row is not None:
            kept |= {column.name for column in other.new_row.columns}
    bound: set[str] = set()
    for way in disjuncts(policy.using.root):
        for part in conjuncts(way):
            facts = policy.using.within(part)
            if reached.identifies(facts):
                bound |= {c.name for c in facts.columns if reached.column(c, relation) == (relation, c.name)}
    if any(reached.identifies(policy.check.within(part)) and not policy.check.within(part).columns
           for way in disjuncts(policy.check.root) for part in conjuncts(way)):  # fmt: skip
        return []
    callers = [snapshot.roles[name] for name in snapshot.addressed(policy)]
    return sorted(
        column
        for column in bound - kept
        if any(snapshot.may_column(role, relation, column, "UPDATE") for role in callers)
    )


RULE = Rule(
    name="policy_check_weaker_than_using",
    title="WITH CHECK lets a row be moved to somebody else",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
