"""Read a snapshot inside an open transaction, so that a case costs a rollback and not a database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tools.findings import Finding, ranked
from tools.rls.catalog import BUCKETS, QUERIES
from tools.rls.reading import assemble
from tools.rls.rules import RULES
from tools.rls.snapshot import Snapshot

Connection = psycopg.Connection[Any]
EXPOSED = ("public", "graphql_public")


def snapshot_of(
    connection: Connection, exposed: tuple[str, ...] = EXPOSED, extensions: tuple[str, ...] = ()
) -> Snapshot:
    """The snapshot of what this transaction sees, with `extensions` as if they were installed as well."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("set local search_path = pg_catalog")
        rows = {name: cursor.execute(query).fetchall() for name, query in QUERIES.items()}
        buckets = cursor.execute(BUCKETS).fetchall() if rows["server"][0]["buckets"] else None
        cursor.execute("set local search_path = public")
    snapshot = assemble(rows, buckets, exposed)
    return replace(snapshot, extensions=(*snapshot.extensions, *extensions))


def findings_of(
    connection: Connection, exposed: tuple[str, ...] = EXPOSED, extensions: tuple[str, ...] = ()
) -> list[Finding]:
    """What every rule says."""
    snapshot = snapshot_of(connection, exposed, extensions)
    return ranked(finding for rule in RULES for finding in rule.check(snapshot))
