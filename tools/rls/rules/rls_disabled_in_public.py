"""A table in an exposed schema has no row level security.

What it finds
    Tables and partitioned tables that anon or authenticated can reach (schema exposed, USAGE and a
    privilege on the table or one of its columns) while row level security is off. Tables without any such
    privilege are not reported. Partitions of a reported parent count with it; see partition_without_rls for
    the other way round.

Why it matters
    The API serves every row to every caller who holds the privilege: another family's as well as one's own.

Fix
    alter table ... enable row level security, then a policy for each command that people need.

When to ignore
    Reference data that is the same for everybody, if you also mean everybody to hold the listed privileges.
    Revoking what is not needed makes the finding go away without a suppression.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Relation
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import doing, grants, listed, on_table, personal, rank, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table; none at all on a plain Postgres where nothing uses row level security."""
    level = Level.ERROR if snapshot.supabase else Level.WARN
    if not snapshot.supabase and not any(table.rls for table in snapshot.tables):
        return
    for table in snapshot.relations.values():
        if not table.is_table or table.rls or table.schema in PLATFORM_SCHEMAS or _counted(snapshot, table):
            continue
        exposure = snapshot.exposure(table)
        if not exposure or not (snapshot.supabase or personal(snapshot, table)):
            continue
        held = frozenset[str]().union(*exposure.values())
        yield on_table(
            "rls_disabled_in_public", level, table,
            f"Row level security is off on {table.title}: {listed(exposure)} can {doing(held)} every row.",
            evidence=f"relrowsecurity is false; {grants(exposure)}",
            fix=f"alter table {table_name(table)} enable row level security;\n-- then one policy per"
            " command that people need",
            rank=rank(snapshot, table, exposure),
        )  # fmt: skip


def _counted(snapshot: Snapshot, table: Relation) -> bool:
    """Whether a parent is reported instead, or is guarded: then it is partition_without_rls's matter."""
    parents = [snapshot.relations[name] for name in table.parents if name in snapshot.relations]
    return any(parent.rls or snapshot.exposure(parent) for parent in parents)


RULE = Rule(
    name="rls_disabled_in_public",
    title="A table in an exposed schema has no row level security",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
