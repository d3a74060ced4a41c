"""What a copy must know about its source beside the dump: roles, extensions, what cannot be read, buckets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import psycopg

from tools.sandbox.databases import translated

PLATFORM: Final = (
    "auth", "storage", "realtime", "vault", "graphql", "graphql_public", "pgbouncer", "supabase_migrations",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Role:
    """A role that owns something, is granted something or is named in a policy; or one linked to it."""

    name: str
    superuser: bool
    inherit: bool
    login: bool
    bypass_rls: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """`member` is in `role`."""

    role: str
    member: str
    inherit: bool


@dataclass(frozen=True, slots=True)
class Routine:
    """A function of an extension, with what a stand-in needs."""

    schema: str
    name: str
    arguments: str
    result: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """A storage bucket: its id, name and whether it is public."""

    id: str
    name: str
    public: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Facts about a source database. `types` are `schema.name` of extension types, with their extension."""

    version: int
    supabase: bool
    roles: tuple[Role, ...] = ()
    memberships: tuple[Membership, ...] = ()
    unreadable: tuple[str, ...] = ()
    types: tuple[tuple[str, str], ...] = ()
    routines: tuple[Routine, ...] = ()
    buckets: tuple[Bucket, ...] = ()


_SUPABASE: Final = """
select exists (select from pg_catalog.pg_namespace where nspname = 'auth')
   and exists (select from pg_catalog.pg_roles where rolname = 'authenticated')
"""
_ROLES: Final = """
with recursive mentioned (oid) as (
  select d.refobjid from pg_catalog.pg_shdepend d
  where d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
    and d.dbid = (select oid from pg_catalog.pg_database where datname = current_database())
  union select oid from pg_catalog.pg_roles where rolname in ('anon', 'authenticated', 'service_role')
), linked (oid) as (
  select oid from mentioned
  union select m.roleid from linked l join pg_catalog.pg_auth_members m on m.member = l.oid
)
select r.rolname, r.rolsuper, r.rolinherit, r.rolcanlogin, r.rolbypassrls
from pg_catalog.pg_roles r join linked on linked.oid = r.oid
where r.rolname !~ '^pg_'
order by 1
"""
_MEMBERSHIPS: Final = """
select r.rolname, m.rolname, coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit)
from pg_catalog.pg_auth_members a
join pg_catalog.pg_roles r on r.oid = a.roleid
join pg_catalog.pg_roles m on m.oid = a.member
order by 1, 2
"""
_UNREADABLE: Final = """
select n.nspname || '.' || c.relname
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not (has_table_privilege(c.oid, 'SELECT') and has_schema_privilege(n.oid, 'USAGE'))
  and not exists (
    select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
order by 1
"""
_TYPES: Final = """
select n.nspname || '.' || t.typname, e.extname
from pg_catalog.pg_type t
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.objid = t.oid
  and d.deptype = 'e' and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
join pg_catalog.pg_extension e on e.oid = d.refobjid
where t.typcategory <> 'A'
order by 1
"""
_ROUTINES: Final = """
select n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid),
       pg_catalog.pg_get_function_result(p.oid)
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid
  and d.deptype = 'e'
where p.prokind = 'f'
"""
_BUCKETS: Final = "select id, coalesce(name, id), coalesce(public, false) from storage.buckets order by id"


def read_source(conninfo: str) -> Source:
    """Read the facts in one READ ONLY transaction. Raises Unavailable or RemoteError."""
    try:
        with psycopg.connect(conninfo, connect_timeout=10, application_name="sergei") as connection:
            connection.read_only = True
            connection.execute("set local search_path = pg_catalog")
            return _read(connection)
    except psycopg.Error as error:
        raise translated(error, "The schema cannot be read for a copy") from None


def _read(connection: psycopg.Connection[Any]) -> Source:
    found = connection.execute(_SUPABASE).fetchone()
    buckets: list[Bucket] = []
    readable = connection.execute(
        # By catalog: a name in a schema that the login may not use is an error, not false.
        "select has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT')"
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'storage' and c.relname = 'buckets'"
    ).fetchone()
    if readable == (True,):
        buckets = [Bucket(*row) for row in connection.execute(_BUCKETS)]
    return Source(
        version=connection.info.server_version,
        supabase=found == (True,),
        roles=tuple(Role(*row) for row in connection.execute(_ROLES)),
        memberships=tuple(Membership(*row) for row in connection.execute(_MEMBERSHIPS)),
        unreadable=tuple(name for (name,) in connection.execute(_UNREADABLE)),
        types=tuple((name, extension) for name, extension in connection.execute(_TYPES)),
        routines=tuple(Routine(*row) for row in connection.execute(_ROUTINES)),
        buckets=tuple(buckets),
    )
