"""A partition can be read past its parent's policies.

What it finds
    Partitions and inheriting tables without row level security whose parent has it, where a caller holds a
    privilege on the partition itself.

Why it matters
    Policies are checked on the relation that a query names. Asked through the parent, they apply; asked by
    its own name, the partition gives all of its rows. Supabase's default privileges grant every new
    partition in public to anon and authenticated.

Fix
    Enable row level security on the partition (no policy is needed) and revoke the privileges, in the very
    statement or function that creates partitions.

When to ignore
    Never for rows of people.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.objects import Relation
from tools.rls.snapshot import Snapshot
from tools.rls.wording import doing, grants, listed, on_table, quoted, rank, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per partition: a suppressed one must not hide the next."""
    for table in snapshot.tables:
        parent = _guarded_parent(snapshot, table) if table.parents and not table.rls else None
        exposure = snapshot.exposure(table) if parent is not None else {}
        if parent is None or not exposure:
            continue
        held = frozenset[str]().union(*exposure.values())
        roles = ", ".join(quoted(role) for role in exposure)
        yield on_table(
            "partition_without_rls",
            Level.ERROR,
            table,
            f"{table.title} has no row level security of its own: {listed(exposure)} can {doing(held)}"
            " its rows"
            f" past the policies of {parent.title}.",
            evidence=f"child of {parent.title}, which has row level security; {grants(exposure)}",
            fix=f"alter table {table_name(table)} enable row level security;\n"
            f"revoke all on {table_name(table)} from {roles};",
            rank=rank(snapshot, table, exposure),
        )


def _guarded_parent(snapshot: Snapshot, table: Relation) -> Relation | None:
    waiting = list(table.parents)
    for name in waiting:
        parent = snapshot.relations.get(name)
        if parent is not None:
            if parent.rls:
                return parent
            waiting.extend(parent.parents)
    return None


RULE = Rule(
    name="partition_without_rls",
    title="A partition can be read past its parent's policies",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
