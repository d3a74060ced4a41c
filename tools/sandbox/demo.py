"""The Guardian demo database: one named copy per sandbox, rebuilt when its sources or its scale change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import psycopg
from psycopg import sql

from tools.errors import InvalidInput
from tools.sandbox.cluster import Cluster
from tools.sandbox.guardian import build_guardian, content_key

Scale = Literal["small", "medium", "large"]
DATABASE: Final = "sergei_demo"
SEED: Final = 7


def template(cluster: Cluster, scale: Scale = "small") -> str:
    """The name of the template database with a clean demo of this scale, built on first use."""
    if scale not in get_args(Scale):
        raise InvalidInput(f"There is no scale {scale!r}.", hint="Use small, medium or large.")
    name = f"guardian_{scale}"
    return cluster.template(name, lambda dsn: build_guardian(dsn, scale, SEED), key=content_key())


def existing(cluster: Cluster) -> str | None:
    """The demo's conninfo if it is there and was made by these very sources."""
    if not cluster.exists(DATABASE):
        return None
    _, _, key = _mark(cluster).rpartition(" ")
    return cluster.dsn(DATABASE) if key == content_key() else None


def scale_of(cluster: Cluster) -> str:
    """The scale of the existing demo."""
    return _mark(cluster).split(" ")[0]


def fresh(cluster: Cluster, scale: Scale = "small") -> str:
    """The conninfo of a clean demo; whatever was in the old one is gone."""
    source = template(cluster, scale)
    cluster.drop(DATABASE)
    dsn = cluster.create(DATABASE, template=source)
    with psycopg.connect(dsn, autocommit=True) as connection:
        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        connection.execute(comment.format(sql.Identifier(DATABASE), sql.Literal(f"{scale} {content_key()}")))
    return dsn


def ensure(cluster: Cluster) -> str:
    """The demo as it stands, or a clean small one."""
    return existing(cluster) or fresh(cluster)


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
    with psycopg.connect(dsn) as connection:
        row = connection.execute(_FACTS).fetchone() or (0, 0, 0, 0, 0)
    return Facts(*row)


def _mark(cluster: Cluster) -> str:
    with psycopg.connect(cluster.dsn()) as connection:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone()
    return str(row[0]) if row and row[0] else ""
