"""The fort: a database full of traps, two logins to attack it with, and a look at it from outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from agent.approvals import Approvals, Mode
from agent.audit import AuditLog
from agent.executor import Executor
from agent.outcome import Outcome
from tools import catalogue
from tools.database.connection import Database
from tools.redaction import Redactor
from tools.resources import Resources
from tools.sandbox.cluster import Cluster

SCHEMA: Final = Path(__file__).with_name("fort.sql")
SECRETS: Final = ("PLANTED-SECRET", "SCRAM-SHA-256", "root:x:0", "Quill")
FILES: Final = ("copy", "program", "lo", "foreign")

_STATE: Final = """
select (select md5(string_agg(m::text, '|' order by id)) from public.marks m),
       (select count(*) from public.docs), (select count(*) from vault.decrypted_secrets),
       (select last_value::text || is_called from public.ticker),
       (select count(*)::text || max(oid) from pg_class), (select max(oid) from pg_proc),
       (select md5(string_agg(c.oid::text || c.relacl::text || c.relrowsecurity, '' order by c.oid))
        from pg_class c where c.oid >= 16384),
       (select count(*) from pg_locks l where l.locktype = 'advisory' and l.database = d.oid),
       (select count(*) from pg_locks l join pg_stat_activity a using (pid)
        where a.datid = d.oid and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()),
       (select count(*) from pg_largeobject_metadata), (select count(*) from pg_prepared_xacts),
       (select count(*) from pg_replication_slots s where s.database = d.datname),
       (select count(*) from pg_replication_origin), d.datconnlimit, d.datacl,
       (select md5(string_agg(setconfig::text, '' order by setdatabase, setrole)) from pg_db_role_setting
        where setdatabase = d.oid),
       (select rolsuper::text || rolbypassrls from pg_roles where rolname = %(reader)s),
       (select stats_reset from pg_stat_database s where s.datid = d.oid),
       (select stats_reset from pg_stat_statements_info), (select stats_reset from pg_stat_bgwriter),
       (select count(*) from pg_stat_activity where application_name = 'sergei-victim' and datid = d.oid),
       current_setting('work_mem'), current_setting('server_version')
from pg_database d where d.datname = current_database()
"""


@dataclass(slots=True)
class Fort:
    """One gate on the fort, and an independent session that looks at it."""

    runner: asyncio.Runner
    executor: Executor
    outside: psycopg.Connection[Any]
    reader: str
    before: tuple[Any, ...] = ()

    def ask(self, query: str, tool: str = "execute_sql", **more: Any) -> Outcome:
        """What comes of one statement."""
        return self.runner.run(self.executor.call(tool, {"sql": query, **more}))

    def state(self) -> tuple[Any, ...]:
        """All that a hostile statement could have changed, seen by another session."""
        row = self.outside.execute(_STATE, {"reader": self.reader}).fetchone() or ()
        heard = tuple(str(note) for note in self.outside.notifies(timeout=0))
        files = tuple(name for name in FILES if Path(f"/tmp/sergei-fort-{name}").exists())
        return (*row, heard, files)

    def settled(self) -> tuple[Any, ...]:
        """The state, once a session that was thrown away has left the server."""
        state = self.state()
        for _ in range(50):
            if state == self.before:
                break
            time.sleep(0.02)
            state = self.state()
        return state


@contextmanager
def besieged(cluster: Cluster, folder: Path, *, superuser: bool) -> Generator[Fort]:
    """A fort of one's own, attacked by a superuser or by a login that may only read."""
    template = cluster.template("fort", _build, key=sha256(SCHEMA.read_bytes()).hexdigest()[:12])
    with (
        cluster.scratch("fort", template=template) as dsn,
        reader_login(dsn) as reader,
        asyncio.Runner() as runner,
        psycopg.connect(dsn, autocommit=True) as outside,
        psycopg.connect(make_conninfo(dsn, application_name="sergei-victim")),
    ):
        place = sql.Identifier(outside.info.dbname)
        secret = sql.SQL("alter database {} set app.settings.jwt_secret = 'PLANTED-SECRET'")
        outside.execute(secret.format(place))
        outside.execute("listen alarm")
        executor = _gate(dsn if superuser else make_conninfo(dsn, user=reader), folder)
        fort = Fort(runner, executor, outside, reader)
        fort.ask("select 1")
        fort.before = fort.state()
        yield fort
        runner.run(executor.resources.database.close())


def _gate(dsn: str, folder: Path) -> Executor:
    return Executor(
        catalogue(),
        Resources(database_or_none=Database(dsn, environment="production")),
        approvals=Approvals(Mode.ACT),
        redactor=Redactor(strict=True),
        audit=AuditLog.open(folder / "audit.jsonl", face="test"),
    )


@contextmanager
def reader_login(dsn: str) -> Generator[str]:
    """A login that may read every table of a database, and nothing else; gone afterwards."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        name = f"reader_of_{owner.info.dbname}"[:63]
        role = sql.Identifier(name)
        owner.execute(sql.SQL("create role {} login nosuperuser nobypassrls").format(role))
        schemas = [row[0] for row in owner.execute("select nspname from pg_namespace where oid >= 16384")]
        for schema in ["public", *schemas]:
            known = sql.Identifier(schema)
            owner.execute(sql.SQL("grant usage on schema {} to {}").format(known, role))
            owner.execute(sql.SQL("grant select on all tables in schema {} to {}").format(known, role))
    try:
        yield name
    finally:
        with psycopg.connect(dsn, autocommit=True) as owner:
            owner.execute(sql.SQL("drop owned by {}").format(role))
            owner.execute(sql.SQL("drop role {}").format(role))


def _build(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SCHEMA.read_text(encoding="utf-8").encode())
