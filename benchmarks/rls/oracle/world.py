"""What the oracle knows of a clean database: its relations, and the rows worth trying things with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.rls.case import Case, Connection

SCHEMAS: Final = ("public", "storage", "realtime")
WIDTH: Final = 6
"""How many rows of a table things are tried with."""

RELATIONS: Final = """
select n.nspname || '.' || c.relname as title, c.relkind::text as kind, c.relispartition as partition,
       c.reltuples::bigint as tuples,
       coalesce((select array_agg(a.attname::text order by a.attnum) from pg_index i
         join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
         where i.indrelid = c.oid and i.indisprimary), '{}') as key
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%s) and c.relkind in ('r', 'p', 'v', 'm', 'f')
order by 1
"""
COLUMNS: Final = """
select a.attname as name, t.typname as type, t.typtype = 'e' as enum, a.attnotnull as required,
       a.attgenerated <> '' as generated, a.attidentity <> '' as identity,
       has_column_privilege('authenticated', a.attrelid, a.attnum, 'insert') as insertable,
       has_column_privilege('authenticated', a.attrelid, a.attnum, 'select') as readable,
       coalesce((select k.confrelid::regclass::text from pg_constraint k
         where k.conrelid = a.attrelid and k.contype = 'f' and k.conkey[cardinality(k.conkey)] = a.attnum
         order by k.confrelid::regclass::text like '%%medical_codes', k.oid limit 1), '') as target,
       case when t.typtype = 'e' then (select array_agg(e.enumlabel::text order by e.enumsortorder)
              from pg_enum e where e.enumtypid = t.oid)
            else coalesce((select array(select m[1] from regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''::', 'g') as m)
              from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'c' and k.conkey = array[a.attnum]
              limit 1), '{}') end as words,
       exists (select from pg_index i where i.indrelid = a.attrelid and i.indisunique and a.attnum = any (i.indkey)
         and (i.indnkeyatts = 1 or i.indisprimary)) as alone
from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `words` are the values its enum or check names; `alone`: a unique index covers it."""

    name: str
    type: str
    enum: bool
    required: bool
    generated: bool
    identity: bool
    insertable: bool
    readable: bool
    target: str
    words: tuple[str, ...]
    alone: bool


@dataclass(frozen=True, slots=True)
class Known:
    """One relation of the clean schema, and the rows that probes are made of."""

    title: str
    kind: str
    partition: bool
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]


def look(connection: Connection, case: Case, only: Iterable[str] | None = None) -> dict[str, Known]:
    """Relations of a database by title. Views carry no rows: they are read only."""
    interesting = case.interesting(connection)
    found: dict[str, Known] = {}
    for title, kind, partition, _, key in connection.execute(RELATIONS, [list(SCHEMAS)]).fetchall():
        if (only is not None and title not in only) or title == "realtime.schema_migrations":
            continue
        columns = tuple(_column(row) for row in connection.execute(COLUMNS, [title]).fetchall())
        rows = _rows(connection, title, columns, interesting) if kind in ("r", "p") else ()
        found[title] = Known(title, kind, partition, tuple(key), columns, rows)
    return found


def _column(row: tuple[Any, ...]) -> Column:
    *facts, words, alone = row
    return Column(*facts, words=tuple(words), alone=alone)


def _rows(
    connection: Connection, title: str, columns: tuple[Column, ...], interesting: tuple[str, ...]
) -> tuple[dict[str, Any], ...]:
    """Few rows that show many states, those of interesting records first; the same ones each time."""
    order = "order by md5(t::text)"
    every: list[dict[str, Any]] = [
        row for (row,) in connection.execute(f"select to_jsonb(t) from {title} t {order} limit 600".encode())
    ]
    if title == "storage.objects":
        every = [{k: v for k, v in row.items() if k != "path_tokens"} for row in every]
    small = [c.name for c in columns if c.words or c.type == "bool" or c.target]
    wanted = set(interesting)
    left = every
    chosen: list[dict[str, Any]] = []
    covered: set[str] = set()
    while left and len(chosen) < WIDTH:
        best = max(left, key=lambda row: (len(_features(row, small, wanted) - covered), -left.index(row)))
        covered |= _features(best, small, wanted)
        chosen.append(best)
        left = [row for row in left if row is not best]
    return tuple(chosen)


def _features(row: dict[str, Any], small: list[str], interesting: set[str]) -> set[str]:
    found = {f"{name}={row[name]}" for name in small if not isinstance(row[name], dict | list)}
    text = json.dumps(row, default=str)
    for anchor in interesting:
        if anchor in text:
            found |= {f"{anchor}{n}" for n in range(3)}
    return found
