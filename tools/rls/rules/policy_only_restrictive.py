"""A table has restrictive policies and no permissive one.

What it finds
    Tables with row level security whose policies are all restrictive, or restrictive for everything that a
    caller holds a privilege for.

Why it matters
    A row is shown when at least one permissive policy is true and every restrictive one is. Without a
    permissive policy the first half is never met: every request comes back empty, every write fails.

Fix
    Add a permissive policy, or make the restrictive one permissive (drop it and create it anew).

When to ignore
    A table that is shut on purpose; revoking the privileges says so more plainly.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import grants, listed, on_table, quoted, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table."""
    for table in snapshot.tables:
        if not table.rls or not table.policies or table.schema in PLATFORM_SCHEMAS:
            continue
        if any(policy.permissive for policy in table.policies):
            continue
        exposure = snapshot.exposure(table)
        if exposure:
            names = [quoted(policy.name) for policy in table.policies]
            yield on_table(
                "policy_only_restrictive", Level.WARN, table,
                f"{table.title} has only restrictive policies ({listed(names)}): {listed(exposure)}"
                " always get nothing.",
                evidence=f"no permissive policy; {grants(exposure)}",
                fix=f"create policy <name> on {table_name(table)} for select to authenticated\n"
                "  using (<which rows a caller may see>);",
                rank=43,
            )  # fmt: skip


RULE = Rule(
    name="policy_only_restrictive",
    title="A table has restrictive policies and no permissive one",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
