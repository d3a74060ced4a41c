"""Names of things in a target: found, or answered with the nearest ones."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, LiteralString

from tools.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from tools.database.connection import Database

_NAMES: Final = """
select n.nspname::text as schema, c.relname::text as name
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_(toast|temp)' and not c.relispartition
  and n.nspname not in ('pg_catalog', 'information_schema')
"""
_FIND: Final = """
select c.oid::int8 as oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname = %(schema)s and c.relname = %(name)s
"""
_SCHEMAS: Final = "select nspname::text as name from pg_namespace where nspname !~ '^pg_(toast|temp)'"
_OWN_SCHEMAS: Final = """
select nspname::text as name from pg_namespace
where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1
"""


def nearest(wanted: str, names: Iterable[str]) -> list[str]:
    """Up to three of `names` that look like `wanted`."""
    folded = {name.lower(): name for name in names}
    lowered = wanted.lower()
    close = get_close_matches(lowered, folded, n=3, cutoff=0.75)
    within = sorted((name for name in folded if len(lowered) > 2 and lowered in name), key=len)
    far = get_close_matches(lowered, folded, n=3, cutoff=0.6)
    return [folded[near] for near in list(dict.fromkeys([*close, *within, *far]))[:3]]


def did_you_mean(wanted: str, names: Iterable[str]) -> str:
    """A hint that names what looks like `wanted`, or an empty string."""
    found = nearest(wanted, names)
    return f"Did you mean {' or '.join(found)}?" if found else ""


async def find_relation(database: Database, schema: str, name: str) -> dict[str, Any]:
    """oid, schema, name and kind of a relation. Raises NotFound with the nearest names."""
    schema, name = identifier(schema, "schema"), identifier(name, "table")
    rows = await database.fetch(_FIND, {"schema": schema, "name": name})
    if rows:
        return rows[0]
    raise await missing_relation(database, schema, name)


async def missing_relation(database: Database, schema: str | None, name: str) -> NotFound:
    """The error for a relation that is not there: with the nearest names, or that the database is empty."""
    rows = await database.fetch(_NAMES)
    said = f"There is no table or view {f'{schema}.' if schema else ''}{name}"
    if not rows:
        return NotFound(f"{said}: the database {database.target.label} has no tables at all.", code="42P01")
    same = [f"{row['schema']}.{row['name']}" for row in rows if row["name"] == name]
    if same:
        return NotFound(f"{said}.", hint=f"Did you mean {' or '.join(same[:3])}?", code="42P01")
    every = {row["name"]: f"{row['schema']}.{row['name']}" for row in rows}
    close = [every[near] for near in nearest(name, every)]
    hint = f"Did you mean {' or '.join(close)}?" if close else "list_tables shows what there is."
    return NotFound(f"{said}.", hint=hint, code="42P01")


async def require_schemas(database: Database, schemas: Iterable[str]) -> list[str]:
    """The schemas, checked to exist; none given means all but the system's. Raises NotFound."""
    wanted = [identifier(schema, "schemas") for schema in schemas]
    if not wanted:
        return [row["name"] for row in await database.fetch(_OWN_SCHEMAS)]
    query: LiteralString = _SCHEMAS
    there = {row["name"] for row in await database.fetch(query)}
    for schema in wanted:
        if schema not in there:
            hint = did_you_mean(schema, there) or f"There are: {', '.join(sorted(there)[:12])}."
            raise NotFound(f"There is no schema {schema}.", hint=hint, code="3F000")
    return wanted


def identifier(text: str, what: str) -> str:
    """A name as the catalog spells it, quotes taken off. Raises InvalidInput for an impossible one."""
    name = text.strip()
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        name = name[1:-1].replace('""', '"')
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        raise InvalidInput(f"`{what}` is not valid Unicode.") from None
    if not name or "\0" in name or size > 63:
        raise InvalidInput(f"`{what}` must be a name of 1 to 63 bytes without NUL.")
    return name
