"""Row level security is on, privileges are granted, and there is no policy.

What it finds
    Tables where anon or authenticated hold privileges and no policy exists. Partitions are left out: they are
    reached through their parent. So are tables without privileges, where having no policy is the point.

Why it matters
    Every request of these roles comes back empty, or fails on writing. Nothing leaks; either a policy was
    forgotten (a screen stays empty) or the privileges were.

Fix
    Write the policies that are missing, or revoke the privileges so that intent and catalog agree.

When to ignore
    A table for service_role alone whose default grants you want to keep.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import grants, listed, on_table, quoted, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table."""
    for table in snapshot.tables:
        if not table.rls or table.policies or table.partition or table.schema in PLATFORM_SCHEMAS:
            continue
        exposure = snapshot.exposure(table)
        if exposure:
            roles = ", ".join(quoted(role) for role in exposure)
            yield on_table(
                "rls_enabled_no_policy",
                Level.INFO,
                table,
                f"{table.title} has row level security and no policy: {listed(exposure)} may ask and"
                " always get nothing.",
                evidence=f"no row in pg_policy; {grants(exposure)}",
                fix=f"-- either write the missing policies, or, if only service_role uses the table:\n"
                f"revoke all on {table_name(table)} from {roles};",
            )


RULE = Rule(
    name="rls_enabled_no_policy",
    title="Row level security is on, privileges are granted, and there is no policy",
    level=Level.INFO,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
