"""A scratch copy of a schema: everything that decides who may see what, and no row of any person.

with copy_schema(cluster, conninfo) as copy:          # a database
with restore_sql(cluster, texts) as copy:             # a folder of migrations, or a dump
    session = ScratchSession(copy.dsn)
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.admin import Admin
from tools.sandbox.scratch.confine import Cell, cell
from tools.sandbox.scratch.dump import Entry, dump_schema, entries, is_dump
from tools.sandbox.scratch.restore import Restorer
from tools.sandbox.scratch.roles import drop_roles, make_roles
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.source import PLATFORM, Bucket, read_source
from tools.sandbox.scratch.statements import looks_dumped, statements

# REVOKE would need one statement per creator, schema and grantee; the dependencies would outlive their rows.
_NO_DEFAULTS: Final = """
delete from pg_catalog.pg_depend where classid = 'pg_catalog.pg_default_acl'::pg_catalog.regclass;
delete from pg_catalog.pg_shdepend where classid = 'pg_catalog.pg_default_acl'::pg_catalog.regclass
  and dbid = (select oid from pg_catalog.pg_database where datname = current_database());
delete from pg_catalog.pg_default_acl
"""


_PUBLISHES: Final = re.compile(r"create\s+publication\s+\"?supabase_realtime\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scratch:
    """A database made for one proof. `gaps` are (object, reason) that the copy lacks; `notes` are what
    differs without a bearing on access: extensions, indexes, settings. `dsn` is the login of confine.py, and
    `admin` does for further statements what that login may not."""

    dsn: str
    gaps: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    supabase: bool
    admin: Admin


@contextmanager
def copy_schema(cluster: Cluster, conninfo: str, name_prefix: str = "proof") -> Generator[Scratch]:
    """The schema of a database in a fresh scratch database, dropped at the end.

    Raises ConfigurationError, Unavailable or RemoteError where it cannot be read.
    """
    source = read_source(conninfo)
    found = dump_schema(cluster, conninfo, source)
    with (
        _place(cluster, name_prefix, source.supabase) as (place, admin),
        ScratchSession(place.dsn) as session,
    ):
        make_roles(admin, source.roles, source.memberships)
        if source.supabase:
            _make_room(admin, found, publication=True)
        restorer = Restorer(session, source, admin)
        restorer.install(found)
        restorer.settle()
        restorer.again(restorer.run(found))
        restorer.settle()
        _buckets(session, source.buckets)
        admin.gaps += [
            (f"table {name}", "the login may not read it, so pg_dump cannot")
            for name in source.unreadable
            if name.partition(".")[0] not in PLATFORM
        ]
        session.close()
        _undo(place, admin)
        yield Scratch(place.dsn, tuple(admin.gaps), tuple(admin.notes), source.supabase, admin)


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
    dumps = [is_dump(text) for text in sql_texts]
    found = [
        entries(text) if dumped else statements(text, rows=rows and not looks_dumped(text))
        for text, dumped in zip(sql_texts, dumps, strict=True)
    ]
    with _place(cluster, name_prefix, supabase) as (place, admin), ScratchSession(place.dsn) as session:
        restorer = Restorer(session, None, admin)
        if supabase and sql_texts and (dumps[0] or looks_dumped(sql_texts[0])):
            publishes = any(map(_PUBLISHES.search, sql_texts))  # a later ALTER needs the stand-in's own
            _make_room(admin, found[0] if dumps[0] else [], publication=publishes)
        for several in found:
            restorer.install(several)
        for several in found:
            restorer.settle()
            restorer.waiting += restorer.run(several)
        restorer.settle()
        restorer.again(restorer.waiting)
        session.close()
        _undo(place, admin)
        yield Scratch(place.dsn, tuple(admin.gaps), tuple(admin.notes), supabase, admin)


@contextmanager
def _place(cluster: Cluster, prefix: str, supabase: bool) -> Generator[tuple[Cell, Admin]]:
    """A confined database and its superuser's session. Roles that the schema brings go after the database."""
    made: list[str] = []
    try:
        with (
            cell(cluster, prefix, supabase=supabase) as place,
            ScratchSession(place.admin_dsn) as session,
        ):
            admin = Admin(session, place.owner, place.login, made)
            yield place, admin
    finally:
        if made:
            with ScratchSession(cluster.apart().dsn()) as session:
                drop_roles(session, made)


def _undo(place: Cell, admin: Admin) -> None:
    """What the schema's statements changed about the server's roles: said, and set back."""
    for name in place.before.undo(admin.session):
        admin.notes.append(f"role {name}: the schema changed its settings, which were set back")


def _make_room(admin: Admin, found: Sequence[Entry], *, publication: bool) -> None:
    """Take from the stand-in what the source brings itself, and every privilege that it would add.

    Default privileges would grant to the API roles what the source revoked: they are the source's to set.
    """
    session, owner = admin.session, sql.Identifier(admin.owner)
    brought = {entry.schema for entry in found if entry.kind in ("TABLE", "VIEW", "FUNCTION", "TYPE")}
    session.script(_NO_DEFAULTS)
    if publication:
        session.script("drop publication if exists supabase_realtime")
    if found:
        own = any(entry.kind == "EXTENSION" or entry.name == "extensions" for entry in found)
        schemas = [name for name in PLATFORM if name in brought] + ["extensions"] * own + ["public"]
        for schema in schemas:
            session.run(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
        # As template0 has it, which is what pg_dump counts its grants from.
        session.run(sql.SQL("create schema public authorization {}").format(owner))
        session.script("grant usage on schema public to public")
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
