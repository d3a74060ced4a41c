"""Changes of a table are sent to every listener.

What it finds
    Tables in the publication supabase_realtime (by name, by schema or with all tables) without row level
    security on which a caller holds SELECT, in schemas that the API does not serve; for the others
    rls_disabled_in_public says it.

Why it matters
    Realtime asks the policies for each change and each listener. Without row level security there is
    nothing to ask: every change of every row goes to whoever listens, also from schemas that PostgREST does
    not serve.

Fix
    Enable row level security, or take the table out of the publication.

When to ignore
    Tables about nobody, such as a list of stations.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Relation
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import listed, on_table, personal, rank, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table: WARN where its rows belong to nobody."""
    for table in snapshot.tables:
        if table.rls or table.schema in PLATFORM_SCHEMAS or snapshot.exposure(table):
            continue
        readers = [role.name for role in snapshot.callers if "SELECT" in snapshot.may(role, table)]
        if snapshot.supabase and readers and _published(snapshot, table):
            yield on_table(
                "realtime_table_without_rls",
                Level.ERROR if personal(snapshot, table) else Level.WARN, table,
                f"Realtime sends every change of {table.title} to {listed(readers)}: row level security is"
                " off, so that no policy is asked.",
                evidence="in publication supabase_realtime; relrowsecurity is false",
                fix=f"alter table {table_name(table)} enable row level security;",
                rank=rank(snapshot, table, readers),
            )  # fmt: skip


def _published(snapshot: Snapshot, table: Relation) -> bool:
    names = {table.title, *table.parents}
    return any(
        one.all_tables or table.schema in one.schemas or names & set(one.relations)
        for one in snapshot.publications if one.name == "supabase_realtime"
    )  # fmt: skip


RULE = Rule(
    name="realtime_table_without_rls",
    title="Changes of a table are sent to every listener",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
