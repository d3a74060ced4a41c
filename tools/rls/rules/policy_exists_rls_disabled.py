"""Policies exist, but row level security is off.

What it finds
    Tables with at least one policy while relrowsecurity is false: the policies are stored and never asked.

Why it matters
    The table looks protected in every listing of policies and is open. Usually a migration switched row level
    security off "for a moment", or created the table anew.

Fix
    alter table ... enable row level security.

When to ignore
    Never: drop the policies if they are not meant.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.snapshot import Snapshot
from tools.rls.wording import counted, grants, listed, on_table, quoted, rank, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table: ERROR where a caller reaches it, WARN where nobody does today."""
    for table in snapshot.relations.values():
        if not table.is_table or table.rls or not table.policies:
            continue
        exposure = snapshot.exposure(table)
        names = listed(quoted(policy.name) for policy in table.policies)
        open_to = f"{listed(exposure)} can reach every row" if exposure else "no API role can reach it today"
        yield on_table(
            "policy_exists_rls_disabled",
            Level.ERROR if exposure else Level.WARN,
            table,
            f"{table.title} has {counted(len(table.policies), 'policy', 'policies')} that nobody asks,"
            " because row"
            f" level security is off: {open_to}.",
            evidence=f"relrowsecurity is false; policies: {names}; {grants(exposure)}".rstrip("; "),
            fix=f"alter table {table_name(table)} enable row level security;",
            rank=rank(snapshot, table, exposure) if exposure else 50,
        )


RULE = Rule(
    name="policy_exists_rls_disabled",
    title="Policies exist, but row level security is off",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
