"""An approximate index finds rows that policies then take away.

What it finds
    Tables with row level security and an hnsw or ivfflat index without a condition, where the SELECT
    policies ask who is calling.

Why it matters
    The index gives its nearest candidates (40 by default for hnsw) out of everybody's rows, and the policy
    takes away those of other people afterwards: a person with few documents gets too few answers, or none,
    although there are some.

Fix
    Let the scan go on until enough rows pass (pgvector 0.8: set hnsw.iterative_scan = 'strict_order' on the
    search function), or partition the table by owner.

When to ignore
    Searches that already set iterative_scan, or tables that are searched by services alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.vectors import APPROXIMATE, searched
from tools.rls.wording import function_name, listed, on_table, quoted, remark


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table."""
    reached = reach(snapshot)
    for table in snapshot.tables:
        indexes = [i for i in table.indexes if i.method in APPROXIMATE and i.predicate is None]
        if not indexes or not table.rls or table.schema in PLATFORM_SCHEMAS or not _personal(reached, table):
            continue
        searches = [f for f in snapshot.functions if not f.definer and table in searched(reached, f)]
        if searches and all(any("iterative_scan" in entry for entry in f.config) for f in searches):
            continue
        methods = {index.method for index in indexes}
        yield on_table(
            "vector_index_post_filtered", Level.INFO, table,
            f"Index {listed(quoted(i.name) for i in indexes)} on {table.title} picks the nearest rows before"
            " the policies choose among them: people with few rows get too few answers.",
            evidence=f"{listed(sorted(methods))} without a condition; the SELECT policies ask for the caller",
            fix="\n".join(
                f"alter function {function_name(f)} set {method}.iterative_scan = '{order}';"
                for f in searches for method in sorted(methods)
                for order in ("strict_order" if method == "hnsw" else "relaxed_order",)
            ) or remark("in the session that searches: set hnsw.iterative_scan = 'strict_order'"),
            rank=64,
        )  # fmt: skip


def _personal(reached: Reach, table: Relation) -> bool:
    reading = [p.using for p in table.policies if p.covers("SELECT") and p.using is not None]
    return any(reached.identifies(facts) for facts in reading)


RULE = Rule(
    name="vector_index_post_filtered",
    title="An approximate index finds rows that policies then take away",
    level=Level.INFO,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
