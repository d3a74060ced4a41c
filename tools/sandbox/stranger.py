"""What somebody sees who should see nothing: the demo's own proof that a planted fault leaks.

Everything runs in a transaction that is rolled back, with the role and the claims that PostgREST would set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg import sql

from tools.sandbox import demo
from tools.sandbox.guardian.generate import named_people

_READABLE: Final = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
  and has_table_privilege('authenticated', c.oid, 'SELECT') order by 2
"""


def visible_rows(dsn: str, claims: Mapping[str, Any]) -> dict[str, int]:
    """Rows of each relation of `public` that an authenticated person with these claims reads."""
    counts: dict[str, int] = {}
    with demo.reading(), psycopg.connect(dsn) as connection:
        relations = connection.execute(_READABLE).fetchall()
        connection.execute(
            "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)",
            [json.dumps(claims)],
        )
        for schema, name in relations:
            count = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, name))
            try:
                with connection.transaction():
                    row = connection.execute(count).fetchone()
            except psycopg.Error:  # a planted fault may also break a relation: then nothing of it is seen
                continue
            counts[f"{schema}.{name}"] = row[0] if row else 0
        connection.rollback()
    return counts


def strangers() -> dict[str, dict[str, Any]]:
    """Two people without any profile opened to them: one honest, one who edited the own user_metadata."""
    people, _ = named_people()
    honest = people["stranger"].claims()
    forged = {**honest["user_metadata"], "staff_role": "reviewer", "role": "admin"}
    return {
        "a signed-in stranger": honest,
        "a stranger who edited the own user_metadata": {**honest, "user_metadata": forged},
    }
