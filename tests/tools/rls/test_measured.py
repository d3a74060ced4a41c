"""Rules over what the statistics counted: a database of their own, since a transaction does not show them."""

from __future__ import annotations

import asyncio

import psycopg

from tools.database.connection import Database
from tools.findings import Finding
from tools.rls.reading import read_snapshot
from tools.rls.review import chosen, findings_of
from tools.rls.rules.rls_table_seq_scanned import MIN_ROWS, MIN_SCANS

TABLES = """
create table public.big (id int, owner_id uuid); create table public.small (id int, owner_id uuid);
insert into public.big select n, gen_random_uuid() from generate_series(1, {rows}) n;
insert into public.small select n, gen_random_uuid() from generate_series(1, 10) n;
alter table public.big enable row level security; alter table public.small enable row level security;
create policy own on public.big to authenticated using (owner_id = (select auth.uid()));
create policy own on public.small to authenticated using (owner_id = (select auth.uid()));
"""


def scanned(dsn: str) -> list[Finding]:
    async def reading() -> list[Finding]:
        database = Database(dsn)
        try:
            return findings_of(await read_snapshot(database), chosen(["rls_table_seq_scanned"], []))
        finally:
            await database.close()

    return asyncio.run(reading())


def test_a_large_table_that_is_read_from_end_to_end_is_told_and_a_small_one_is_not(
    empty_database: str,
) -> None:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(TABLES.format(rows=MIN_ROWS + 1).encode())
        connection.execute("select pg_stat_force_next_flush()")
    assert scanned(empty_database) == []
    with psycopg.connect(empty_database, autocommit=True) as connection:
        for name in ("big", "small"):
            for _ in range(MIN_SCANS):
                connection.execute(f"select count(*) from public.{name} where id = 0".encode())
        connection.execute("select pg_stat_force_next_flush()")
    found = scanned(empty_database)
    assert [finding.object for finding in found] == ["public.big"]
    assert "50 times, 100 % of its scans" in found[0].message
    assert "seq_scan 50" in found[0].evidence
