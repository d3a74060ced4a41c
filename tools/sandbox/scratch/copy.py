"""A scratch copy of a schema: everything that decides who may see what, and no row of any person.

with copy_schema(cluster, conninfo) as copy:          # a database
with restore_sql(cluster, texts) as copy:             # a folder of migrations, or a dump
    session = ScratchSession(copy.dsn)
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from tools.sandbox import demo
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.dump import Entry, dump_schema, entries, is_dump
from tools.sandbox.scratch.restore import Restorer
from tools.sandbox.scratch.roles import drop_roles, make_roles
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.source import PLATFORM, Bucket, read_source
from tools.sandbox.scratch.statements import looks_dumped, statements
from tools.sandbox.shim import install_shim

# REVOKE would need one statement per creator, schema and grantee; the dependencies would outlive their rows.
_NO_DEFAULTS: Final = """
drop publication if exists supabase_realtime;
delete from pg_catalog.pg_depend where classid = 'pg_catalog.pg_default_acl'::pg_catalog.regclass;
delete from pg_catalog.pg_shdepend where classid = 'pg_catalog.pg_default_acl'::pg_catalog.regclass
  and dbid = (select oid from pg_catalog.pg_database where datname = current_database());
delete from pg_catalog.pg_default_acl
"""


@dataclass(frozen=True, slots=True)
class Scratch:
    """A database made for one proof. `gaps` are (object, reason) that the copy lacks; `notes` are what
    differs without a bearing on access: extensions, indexes, settings."""

    dsn: str
    gaps: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    supabase: bool


@contextmanager
def copy_schema(cluster: Cluster, conninfo: str, name_prefix: str = "proof") -> Generator[Scratch]:
    """The schema of a database in a fresh scratch database, dropped at the end.

    Raises ConfigurationError, Unavailable or RemoteError where it cannot be read.
    """
    source = read_source(conninfo)
    found = dump_schema(cluster, conninfo, source)
    with (
        cluster.scratch(name_prefix, _template(cluster, source.supabase)) as dsn,
        ScratchSession(dsn) as session,
    ):
        roles, gaps = make_roles(session, source.roles, source.memberships)
        try:
            if source.supabase:
                _make_room(session, found)
            restorer = Restorer(session, source)
            restorer.settle()
            restorer.again(restorer.run(found))
            restorer.settle()
            _buckets(session, source.buckets)
            roles += restorer.roles
            gaps += restorer.gaps
            gaps += [
                (f"table {name}", "the login may not read it, so pg_dump cannot")
                for name in source.unreadable
                if name.partition(".")[0] not in PLATFORM
            ]
            session.close()
            yield Scratch(dsn, tuple(gaps), tuple(restorer.notes), source.supabase)
        finally:
            _forget(cluster, dsn, roles)


@contextmanager
def restore_sql(
    cluster: Cluster,
    sql_texts: Sequence[str],
    supabase: bool = True,
    name_prefix: str = "proof",
    *,
    rows: bool = True,
) -> Generator[Scratch]:
    """A schema built from SQL files, run in order: migrations, or what pg_dump wrote.

    With `rows`, migrations may insert what they bring along (plans, codes, flags); a dump's rows never go in.
    """
    with cluster.scratch(name_prefix, _template(cluster, supabase)) as dsn, ScratchSession(dsn) as session:
        before = {name for (name,) in session.rows("select rolname from pg_catalog.pg_roles")}
        restorer = Restorer(session, None)
        made: set[str] = set()
        try:
            for place, text in enumerate(sql_texts):
                dumped = is_dump(text)
                found = entries(text) if dumped else statements(text, rows=rows and not looks_dumped(text))
                if supabase and place == 0 and (dumped or looks_dumped(text)):
                    _make_room(session, found if dumped else [])
                restorer.settle()
                restorer.waiting += restorer.run(found)
            restorer.settle()
            restorer.again(restorer.waiting)
            made = {name for (name,) in session.rows("select rolname from pg_catalog.pg_roles")} - before
            session.close()
            yield Scratch(dsn, tuple(restorer.gaps), tuple(restorer.notes), supabase)
        finally:
            _forget(cluster, dsn, sorted(made))


def _template(cluster: Cluster, supabase: bool) -> str | None:
    return cluster.template("shim", install_shim, key=demo.content_key()) if supabase else None


def _make_room(session: ScratchSession, found: Sequence[Entry]) -> None:
    """Take from the stand-in what the source brings itself, and every privilege that it would add.

    Default privileges would grant to the API roles what the source revoked: they are the source's to set.
    """
    brought = {entry.schema for entry in found if entry.kind in ("TABLE", "VIEW", "FUNCTION", "TYPE")}
    session.script(_NO_DEFAULTS)
    if found:
        own = any(entry.kind == "EXTENSION" or entry.name == "extensions" for entry in found)
        schemas = [name for name in PLATFORM if name in brought] + ["extensions"] * own + ["public"]
        for schema in schemas:
            session.run(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
        # As template0 has it, which is what pg_dump counts its grants from.
        session.script(
            "create schema public authorization pg_database_owner; grant usage on schema public to public"
        )
    session.commit()


def _buckets(session: ScratchSession, buckets: Sequence[Bucket]) -> None:
    """Storage buckets are rows, but they say what is public, as a schema does."""
    if not buckets:
        return
    session.script("set local session_replication_role = replica")
    try:
        for bucket in buckets:
            session.run(
                "insert into storage.buckets (id, name, public) values (%s, %s, %s) on conflict do nothing",
                [bucket.id, bucket.name, bucket.public],
            )
        session.commit()
    except SqlFailure:
        session.rollback()


def _forget(cluster: Cluster, dsn: str, roles: Sequence[str]) -> None:
    """Drop the roles made for this copy, after what they own in it."""
    if not roles:
        return
    with ScratchSession(dsn) as session:
        for name in roles:
            try:
                with session.savepoint():
                    session.run(sql.SQL("drop owned by {} cascade").format(sql.Identifier(name)))
            except SqlFailure:
                continue
        session.commit()
    with ScratchSession(cluster.dsn()) as session:
        drop_roles(session, roles)
