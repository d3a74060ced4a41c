"""A protected table is read from end to end again and again.

What it finds
    Tables with row level security and at least 10,000 live rows that the statistics saw read sequentially
    at least 50 times, and in at least half of all scans. Statistics count since they were last reset, and
    they count every sequential scan, not only those of policies.

Why it matters
    A policy that no index serves makes every request read the whole table. The other performance rules say
    what could happen; this one says what did.

Fix
    Look at the slowest statements on the table with explain_query, then at policy_column_unindexed,
    auth_rls_initplan and policy_function_per_row for its policies.

When to ignore
    Tables that jobs read in full on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tools.findings import Finding, Level, Rule
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import counted, on_table, remark, table_name

MIN_ROWS: Final = 10_000
MIN_SCANS: Final = 50


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table, the one with the most rows read first."""
    for table in snapshot.tables:
        scans = table.scans
        if not table.rls or not table.policies or table.schema in PLATFORM_SCHEMAS:
            continue
        if scans.live < MIN_ROWS or scans.sequential < MIN_SCANS or scans.sequential < scans.index:
            continue
        share = round(100 * scans.sequential / (scans.sequential + scans.index))
        yield on_table(
            "rls_table_seq_scanned", Level.INFO, table,
            f"{table.title} ({scans.live:,} rows, {counted(len(table.policies), 'policy', 'policies')}) was"
            f" read from end to end {scans.sequential:,} times, {share} % of its scans.",
            evidence=f"pg_stat_user_tables: seq_scan {scans.sequential}, seq_tup_read {scans.rows},"
            f" idx_scan {scans.index}",
            fix=remark(f"explain (analyze, buffers) a slow statement on {table_name(table)} as its callers"),
            rank=66,
        )  # fmt: skip


RULE = Rule(
    name="rls_table_seq_scanned",
    title="A protected table is read from end to end again and again",
    level=Level.INFO,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
