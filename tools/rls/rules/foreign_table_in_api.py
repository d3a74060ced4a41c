"""A foreign table is served by the API.

What it finds
    Foreign tables in an exposed schema on which anon or authenticated hold a privilege.

Why it matters
    Row level security does not exist for foreign tables: everybody with SELECT reads all that the foreign
    server gives, with the credentials stored for it.

Fix
    Revoke the privileges from the API roles and serve it through a function that checks who is asking.

When to ignore
    Reference data that lies on another server and that everybody may read.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import doing, grants, listed, on_table, personal, quoted, rank, table_name


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per foreign table: ERROR when its columns speak of people."""
    for table in snapshot.relations.values():
        exposure = snapshot.exposure(table) if table.kind == "f" else {}
        if not exposure or table.schema in PLATFORM_SCHEMAS:
            continue
        held = frozenset[str]().union(*exposure.values())
        yield on_table(
            "foreign_table_in_api",
            Level.ERROR if personal(snapshot, table) else Level.WARN,
            table,
            f"Foreign table {table.title} cannot have row level security, and {listed(exposure)} can"
            f" {doing(held)} all of it.",
            evidence=grants(exposure),
            fix=f"revoke all on {table_name(table)} from {', '.join(quoted(role) for role in exposure)};",
            rank=rank(snapshot, table, exposure),
        )


RULE = Rule(
    name="foreign_table_in_api",
    title="A foreign table is served by the API",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
