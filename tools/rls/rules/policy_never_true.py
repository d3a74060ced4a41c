"""A policy is true for nobody.

What it finds
    Permissive policies that no caller whom they address can ever meet: a comparison with null, one column
    equal to two values at once, auth.role() compared with a word that is none of the roles, a claim that only
    exists when nobody is asked for it; also policies without an expression (INSERT without WITH CHECK, the
    others without USING), which let nothing through. A literal `false` is left out: somebody meant it. So is
    what is written for service_role, which skips policies anyway.

Why it matters
    Nothing leaks, and nothing works: reading comes back empty, writing fails with 42501. Somebody then opens
    the table with using (true).

Fix
    Write the condition that was meant, or drop the policy.

When to ignore
    A policy that is kept shut on purpose; using (false) says so more plainly.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Policy, Relation
from tools.rls.outcomes import Asked, outcome
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import constant
from tools.rls.wording import altered, listed, on_policy, quoted, table_name

_SERVICES = ("service_role", "supabase_admin", "postgres")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    for relation in snapshot.relations.values():
        for policy in relation.policies if relation.rls else ():
            callers = snapshot.addressed(policy)
            if not policy.permissive or not callers:
                continue
            why = _why(reached, relation, policy, callers)
            if why:
                yield on_policy(
                    "policy_never_true", Level.WARN, relation, policy,
                    f"Policy {policy.name} lets nobody through: {why}, so {listed(callers)} cannot"
                    f" {_deed(policy)} {relation.title} by it.",
                    fix=altered(policy, relation, f"{_clause(policy)} (<the condition that was meant>)")
                    + f"\n-- or: drop policy {quoted(policy.name)} on {table_name(relation)};",
                    rank=44,
                )  # fmt: skip


def _why(reached: Reach, relation: Relation, policy: Policy, callers: tuple[str, ...]) -> str:
    text = policy.check_text if policy.command == "INSERT" else policy.using_text
    if text is None:
        missing = "WITH CHECK" if policy.command == "INSERT" else "USING"
        return f"it has no {missing}" if policy.command != "ALL" or policy.check_text is None else ""
    facts = policy.check if policy.command == "INSERT" else policy.using
    if facts is None or constant(facts.root) is False or any(name in text for name in _SERVICES):
        return ""
    for role in callers:
        if True in outcome(Asked(reached, role, signed_in=role != "anon", own=relation), facts.root):
            return ""
    return "its condition is false or null whatever the row holds"


def _clause(policy: Policy) -> str:
    return "with check" if policy.command == "INSERT" else "using"


def _deed(policy: Policy) -> str:
    deeds = {"SELECT": "read", "INSERT": "insert into", "UPDATE": "update", "DELETE": "delete from"}
    return deeds.get(policy.command, "use")


RULE = Rule(
    name="policy_never_true",
    title="A policy is true for nobody",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
