"""Read a snapshot inside an open transaction, so that a case costs a rollback and not a database."""

from __future__ import annotations

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


def snapshot_of(connection: Connection) -> Snapshot:
    """The snapshot of what this transaction sees."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("set local search_path = pg_catalog")
        rows = {name: cursor.execute(query).fetchall() for name, query in QUERIES.items()}
        buckets = cursor.execute(BUCKETS).fetchall() if rows["server"][0]["buckets"] else None
        cursor.execute("set local search_path = public")
    return assemble(rows, buckets, EXPOSED)


def findings_of(connection: Connection) -> list[Finding]:
    """What every rule says."""
    snapshot = snapshot_of(connection)
    return ranked(finding for rule in RULES for finding in rule.check(snapshot))
