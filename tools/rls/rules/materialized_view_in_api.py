"""A materialized view over protected rows is served by the API.

What it finds
    Materialized views in an exposed schema that a caller may SELECT from and that were filled from tables
    with row level security, or from tables the caller may not read.

Why it matters
    A materialized view has no row level security of its own: it holds a copy of every family's rows, and
    everybody with SELECT reads all of it.

Fix
    Revoke SELECT from the API roles, or move it to a schema that is not exposed, and serve it through a
    function or view that checks who is asking.

When to ignore
    Figures in which nobody can be recognised, counted over many people (an INFO as long as no column names a
    person). Say so in the reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.reach import reach
from tools.rls.rules.security_definer_view import hidden, level_of
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import grants, listed, on_table, quoted, rank, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per materialized view: ERROR when its rows belong to people, INFO for figures."""
    reached = reach(snapshot)
    for view in snapshot.relations.values():
        if view.kind != "m" or view.schema in PLATFORM_SCHEMAS:
            continue
        exposure = snapshot.exposure(view)
        behind = [table for table in reached.base_tables(view) if hidden(snapshot, view, table, exposure)]
        if exposure and behind:
            yield on_table(
                "materialized_view_in_api",
                level_of(snapshot, view, behind),
                view,
                f"Materialized view {view.title} keeps rows of {listed(t.title for t in behind)} where"
                " no policy"
                f" applies, and {listed(exposure)} can read all of it.",
                evidence=grants(exposure),
                fix=f"revoke all on {table_name(view)} from {', '.join(quoted(role) for role in exposure)};",
                rank=min(rank(snapshot, table, exposure) for table in behind),
            )


RULE = Rule(
    name="materialized_view_in_api",
    title="A materialized view over protected rows is served by the API",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
