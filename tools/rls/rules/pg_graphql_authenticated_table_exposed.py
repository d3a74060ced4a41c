"""GraphQL shows the columns of tables to everybody who is signed in that never show a row.

What it finds
    Tables on which authenticated holds SELECT while pg_graphql is installed and no permissive policy ever
    lets authenticated read a row. Tables that do show rows are left out: whoever may read the rows may know
    the columns. Tables that anon sees in the same way are told there.

Why it matters
    Introspection of /graphql/v1 lists names, columns and relationships of whatever a role may SELECT from,
    whatever the policies say. The plan of the house is public although its doors are shut.

Fix
    Revoke SELECT from authenticated; nobody can miss it.

When to ignore
    A schema that is public anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.graphql import finding, shown_in_vain
from tools.rls.snapshot import Snapshot


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding with every such table."""
    tables = shown_in_vain(snapshot, "authenticated", also="anon")
    if tables:
        yield finding("pg_graphql_authenticated_table_exposed", "authenticated", tables)


RULE = Rule(
    name="pg_graphql_authenticated_table_exposed",
    title="GraphQL shows the columns of tables to everybody who is signed in that never show a row",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
