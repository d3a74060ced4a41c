"""A restrictive policy restricts nothing.

What it finds
    Restrictive policies that are true for every row and caller (`using (true)`), where they should narrow
    what the permissive ones open.

Why it matters
    Somebody put a floor under the table (a tenant, a second factor) and the floor lets everything through.
    The list of policies looks stricter than the table is.

Fix
    Write the condition that every access must meet, or drop the policy.

When to ignore
    A placeholder of a migration that is under way.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.reach import reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.truth import EVERYONE, truth
from tools.rls.wording import listed, on_policy, quoted, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    for relation in snapshot.relations.values():
        if not relation.rls or (relation.schema in PLATFORM_SCHEMAS and relation.title != "storage.objects"):
            continue
        for policy in relation.policies:
            callers = snapshot.addressed(policy)
            parts = list(policy.parts())
            empty = parts and all(truth(reached, part, relation) == EVERYONE for part in parts)
            if not policy.permissive and callers and empty:
                yield on_policy(
                    "policy_restrictive_without_effect", Level.WARN, relation, policy,
                    f"Restrictive policy {policy.name} on {relation.title} is always true: it takes nothing"
                    f" away from {listed(callers)}.",
                    fix=f"drop policy {quoted(policy.name)} on {table_name(relation)};"
                    "\n-- or give it the condition that every access must meet",
                    rank=46,
                )  # fmt: skip


RULE = Rule(
    name="policy_restrictive_without_effect",
    title="A restrictive policy restricts nothing",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
