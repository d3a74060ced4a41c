"""The Guardian demo database: one named copy per sandbox, rebuilt when its sources or its scale change.

Every process of this sandbox sees the same copy, so whoever rebuilds it or plants faults in it holds
`exclusive` meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, get_args

import psycopg
from psycopg import sql

from tools.errors import Conflict, InvalidInput, RemoteError, Unavailable
from tools.sandbox import databases
from tools.sandbox.cluster import Cluster
from tools.sandbox.guardian import build_guardian, content_key

Scale = Literal["small", "medium", "large"]
DATABASE: Final = "sergei_demo"
SEED: Final = 7
LOCK: Final = (0x5E46E3, 1)
"""The advisory lock on the demo; its session ends with the process, and the lock with it."""


def template(cluster: Cluster, scale: Scale = "small") -> str:
    """The name of the template database with a clean demo of this scale, built on first use."""
    if scale not in get_args(Scale):
        raise InvalidInput(f"There is no scale {scale!r}.", hint="Use small, medium or large.")
    name = f"guardian_{scale}"
    return cluster.template(name, lambda dsn: build_guardian(dsn, scale, SEED), key=content_key())


DUPLICATE: Final = ("42P04", "23505")  # the second where both began to create it at the same time
INTERRUPTED_SECONDS: Final = 60.0
"""How long a copy that nobody waits for may take; the large demo is a few hundred megabytes."""


@contextmanager
def exclusive(cluster: Cluster, waiting: Callable[[], None] = lambda: None) -> Generator[None]:
    """Hold the demo against other processes; `waiting` is called once where another one holds it."""
    with databases.connect(cluster.dsn()) as session:
        try:
            if session.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK).fetchone() != (True,):
                waiting()
                session.execute("SET lock_timeout = '5min'")  # far longer than any demo is built
                session.execute("SELECT pg_advisory_lock(%s, %s)", LOCK)
        except psycopg.Error as error:
            raise databases.translated(error, "The sandbox server does not answer") from error
        yield


def existing(cluster: Cluster) -> str | None:
    """The demo's conninfo if it is there and was made by these very sources."""
    if not cluster.exists(DATABASE):
        return None
    _, _, key = _mark(cluster).rpartition(" ")
    return cluster.dsn(DATABASE) if key == content_key() else None


def fresh(cluster: Cluster, scale: Scale = "small") -> str:
    """The conninfo of a clean demo; whatever was in the old one is gone. Call it inside `exclusive`."""
    dsn = _copied(cluster, template(cluster, scale))
    with reading(), psycopg.connect(dsn, autocommit=True) as connection:
        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        connection.execute(comment.format(sql.Identifier(DATABASE), sql.Literal(f"{scale} {content_key()}")))
    return dsn


def _copied(cluster: Cluster, source: str) -> str:
    """The old demo dropped and a copy of the template in its place.

    The server goes on copying for a process that was interrupted or killed, and the lock of that process is
    free by then: its copy appears a moment later, and is dropped like any other.
    """
    deadline = time.monotonic() + INTERRUPTED_SECONDS
    while True:
        cluster.drop(DATABASE)
        try:
            return cluster.create(DATABASE, template=source)
        except (Conflict, RemoteError) as error:
            if error.code not in DUPLICATE or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def ensure(cluster: Cluster) -> str:
    """The demo as it stands, or a clean small one."""
    dsn = existing(cluster)
    if dsn:
        return dsn
    with exclusive(cluster):  # somebody else may have built it while we waited
        return existing(cluster) or fresh(cluster)


@contextmanager
def reading() -> Generator[None]:
    """Work on the demo's own connections; raises Unavailable when the database goes away under it."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise Unavailable(
            "The demo database went away.", hint="Run `sergei demo` again.", code=error.sqlstate or ""
        ) from error


_FACTS: Final = """
select (select count(*) from pg_class c where c.relkind in ('r', 'p') and not c.relispartition
          and c.relnamespace = 'public'::regnamespace),
       (select count(*) from pg_policies),
       (select count(*) from pg_proc
        where pronamespace in ('public'::regnamespace, to_regnamespace('private'))),
       (select count(*) from public.profiles),
       (select count(*) from public.clinical_events)
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """How large a demo is."""

    tables: int
    policies: int
    functions: int
    profiles: int
    events: int


def facts(dsn: str) -> Facts:
    """Counted in the demo behind `dsn`."""
    with reading(), psycopg.connect(dsn) as connection:
        row = connection.execute(_FACTS).fetchone() or (0, 0, 0, 0, 0)
    return Facts(*row)


def _mark(cluster: Cluster) -> str:
    with reading(), psycopg.connect(cluster.dsn()) as connection:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone()
    return str(row[0]) if row and row[0] else ""
