"""Stand-ins for what extensions bring that the sandbox's server lacks.

Types become domains over text in the schema where they were. Calls that reach outside (cron, network) become
functions that do nothing. Anything else of a missing extension becomes a function that gives NULL, made only
when a table or a policy cannot be created without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from psycopg import sql

from tools.sandbox.scratch.session import ScratchSession
from tools.sandbox.scratch.source import Routine, Source
from tools.sandbox.shim import shim_files

TYPES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "vector": ("vector", "halfvec", "sparsevec"),
        "postgis": ("geometry", "geography", "box2d", "box3d", "geometry_dump"),
        "postgis_raster": ("raster",),
        "postgis_topology": ("topogeometry",),
        "hstore": ("hstore",),
        "ltree": ("ltree", "lquery", "ltxtquery"),
        "citext": ("citext",),
        "cube": ("cube",),
        "seg": ("seg",),
        "isn": ("isbn", "isbn13", "issn", "issn13", "ean13", "upc"),
        "intarray": ("query_int",),
        "h3": ("h3index",),
        "semver": ("semver",),
        "uint": ("uint1", "uint2", "uint4", "uint8"),
        "timescaledb": (),
    }
)
FUNCTIONS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "json_matches_schema": (("schema json, instance json", "boolean"),),
        "jsonb_matches_schema": (("schema json, instance jsonb", "boolean"),),
        "uuid_generate_v7": (("", "uuid"),),
        "nanoid": (("size integer default 21", "text"),),
        "gen_random_ulid": (("", "text"),),
        "unaccent": (("text", "text"),),
    }
)
_OUTSIDE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pg_cron": """
create schema if not exists cron;
create table if not exists cron.job (jobid bigint generated always as identity primary key, schedule text,
  command text, nodename text, nodeport integer, database text, username text, active boolean, jobname text);
create table if not exists cron.job_run_details (jobid bigint, runid bigint primary key, status text,
  return_message text, start_time timestamptz, end_time timestamptz);
create or replace function cron.schedule(job_name text, schedule text, command text) returns bigint
  language sql as 'select 1::bigint';
create or replace function cron.schedule(schedule text, command text) returns bigint
  language sql as 'select 1::bigint';
create or replace function cron.unschedule(job_name text) returns boolean language sql as 'select true';
create or replace function cron.unschedule(job_id bigint) returns boolean language sql as 'select true';
""",
        "pg_net": """
create schema if not exists net;
create or replace function net.http_post(url text, body jsonb default '{}', params jsonb default '{}',
  headers jsonb default '{}', timeout_milliseconds integer default 5000) returns bigint
  language sql as 'select 1::bigint';
create or replace function net.http_get(url text, params jsonb default '{}', headers jsonb default '{}',
  timeout_milliseconds integer default 5000) returns bigint language sql as 'select 1::bigint';
create or replace function net.http_delete(url text, params jsonb default '{}', headers jsonb default '{}',
  timeout_milliseconds integer default 5000) returns bigint language sql as 'select 1::bigint';
""",
    }
)
_MODIFIED: Final = re.compile(r'type modifier is not allowed for type "(?P<type>[^"]+)"')


def make_stand_ins(session: ScratchSession, extension: str, schema: str, source: Source | None) -> str:
    """Create the stand-ins of one extension in `schema`; says what they are, or gives an empty string."""
    if extension == "uuid-ossp":
        file = next(path for path in shim_files() if path.name.startswith("60_"))
        session.script(f"create schema if not exists extensions;{_moved(file, schema)}")
        return ""
    if extension in _OUTSIDE:
        session.script(_OUTSIDE[extension])
        return "its functions do nothing here"
    known = [name for name, owner in source.types if owner == extension] if source else []
    types = known or [f"{schema}.{name}" for name in TYPES.get(extension, ())]
    for name in types:
        make_type(session, name)
    return f"{_listed(types)} became text" if types else ""


def _moved(file: Path, schema: str) -> str:
    """The uuid functions in the extension's schema; v5 only at home, since pgcrypto may be anywhere."""
    text = file.read_text()
    if schema == "extensions":
        return text
    quoted = sql.Identifier(schema).as_string(None)
    text = text.partition("-- SHA-1 comes from pgcrypto")[0]
    return text.replace("extensions.", f"{quoted}.").replace(
        "select gen_random", "select pg_catalog.gen_random"
    )


def make_type(session: ScratchSession, name: str) -> None:
    """A domain over text under the name of a missing type."""
    schema, _, type_name = name.rpartition(".")
    domain = sql.SQL("create domain {} as text").format(
        sql.Identifier(schema, type_name) if schema else sql.Identifier(type_name)
    )
    session.run(domain)


def make_function(session: ScratchSession, routine: Routine) -> None:
    """A function that gives NULL under the name and arguments of a missing one."""
    header = f"create or replace function {_quoted(routine.schema)}{_quoted(routine.name, last=True)}"
    null = (
        "select null" if routine.result.startswith(("SETOF", "TABLE")) else f"select null::{routine.result}"
    )
    session.script(
        f"{header}({routine.arguments}) returns {routine.result} language sql immutable as '{null}'"
    )


def _quoted(name: str, *, last: bool = False) -> str:
    if not name:
        return ""
    return sql.Identifier(name).as_string(None) + ("" if last else ".")


def without_modifier(statement: str, message: str) -> str | None:
    """The statement with `vector(1536)` as `vector`, where a stand-in refused the length; None otherwise."""
    found = _MODIFIED.search(message)
    if not found:
        return None
    name = found["type"].rpartition(".")[2]
    changed = re.sub(rf'(?i)(\b{re.escape(name)}\b"?)\s*\([^()]*\)', r"\1", statement)
    return changed if changed != statement else None


def type_extension(name: str) -> str | None:
    """The extension that a type of this bare name is known to come from."""
    bare = name.rpartition(".")[2].lower()
    return next((extension for extension, types in TYPES.items() if bare in types), None)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more types" if len(names) > 4 else "")
