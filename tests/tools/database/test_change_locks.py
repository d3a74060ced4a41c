"""The locks that are shown are the locks that PostgreSQL takes, and costs are told with sizes."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tools.database.changes import read_change
from tools.database.locks import MODES
from tools.database.sqltext import parse_script
from tools.sandbox.cluster import Cluster

HELD = """
select c.oid::regclass::text, l.mode from pg_locks l join pg_class c on c.oid = l.relation
where l.pid = pg_backend_pid() and c.relnamespace = 'public'::regnamespace
"""
SETUP = """
create publication pub for table codes;
create unique index roster_one on roster (full_name);
create table loose (at date not null, profile_id uuid not null, level int);
alter table visits add constraint positive check (id > 0) not valid;
create table parent (code text not null, display text not null, price numeric);
"""
STATEMENTS = """
create policy p on codes using (true)
alter policy own_rows on profiles using (true)
drop policy own_rows on profiles
alter table codes enable row level security
alter table codes add column x int
alter table codes alter price set default 1
alter table codes alter price type numeric(20,2)
alter table codes alter display set statistics 50
alter table codes alter display drop not null
alter table codes set (fillfactor = 80, autovacuum_enabled = false)
alter table codes set (user_catalog_table = true)
alter view names set (security_invoker = true)
alter table visits add constraint fk foreign key (code) references codes (code)
alter table visits add constraint ck check (id > 0)
alter table visits validate constraint positive
alter table visits disable trigger visits_touch
alter table codes drop constraint codes_pkey cascade
alter table codes owner to pg_monitor
alter table codes replica identity full
alter table readings detach partition readings_2025
alter table readings attach partition loose for values from ('2030-01-01') to ('2031-01-01')
alter table codes inherit parent
alter table codes rename column price to cost
alter table profiles drop column dob
create index on codes (price)
create trigger tt after insert on codes for each row execute function audit_it()
create or replace trigger visits_touch after insert on visits execute function audit_it()
drop trigger visits_touch on visits
alter trigger visits_touch on visits rename to other
comment on table codes is 'x'
comment on column codes.price is 'x'
truncate touched
create or replace view code_list as select code, display from codes
refresh materialized view roster
refresh materialized view concurrently roster
create table fresh (code text references codes (code))
create table fresh partition of readings for values from ('2040-01-01') to ('2041-01-01')
create table fresh (like codes)
create table fresh () inherits (codes)
create publication fresh for table visits
alter publication pub add table visits
alter publication pub drop table codes
alter sequence ticket restart with 5
create statistics fresh on code, display from codes
create rule rr as on insert to codes do also notify x
lock table codes in share mode
cluster visits using visits_profile
insert into codes values ('Q', 'q')
update touched set n = 1
delete from visits where id = 1
with x as (delete from touched returning n) insert into codes select 'w', 'w' from x
merge into touched t using codes c on false when not matched then insert values (1)
select * from codes for update
select count(*) from codes
grant select on codes to pg_monitor
""".strip().splitlines()


@pytest.fixture(scope="module")
def standing(cluster: Cluster, clinic_template: str) -> Iterator[psycopg.Connection[tuple[str, ...]]]:
    """A connection whose transactions are rolled back."""
    with cluster.scratch("locks", template=clinic_template) as dsn, psycopg.connect(dsn) as connection:
        connection.execute(SETUP.encode())
        connection.commit()
        yield connection


@pytest.mark.parametrize("sql", STATEMENTS)
def test_shown_locks_are_held_locks(standing: psycopg.Connection[tuple[str, ...]], sql: str) -> None:
    (piece,) = parse_script(sql)
    shown = {str(lock.table): lock.mode for lock in read_change(piece).locks}
    try:
        standing.execute(sql.encode())
        held: dict[str, str] = {}
        for table, mode in standing.execute(HELD):
            words = _words(mode)
            if table not in held or MODES.index(words) > MODES.index(held[table]):
                held[table] = words
    finally:
        standing.rollback()
    assert {table: held.get(table) for table in shown} == shown
    if "grant" not in sql:
        assert shown


@pytest.mark.parametrize(
    ("sql", "cost"),
    [
        ("alter table t add column a int", ""),
        ("alter table t add column a int default 1", ""),
        ("alter table t add column a timestamptz default now()", ""),
        ("alter table t add column a uuid default gen_random_uuid()", "rewrite"),
        ("alter table t add column a serial", "rewrite"),
        ("alter table t add column a int generated always as identity", "rewrite"),
        ("alter table t add column a int unique", "build"),
        ("alter table t add column a int check (a > 0)", "scan"),
        ("alter table t alter a type text", "rewrite"),
        ("alter table t alter a set not null", "scan"),
        ("alter table t add check (a > 0)", "scan"),
        ("alter table t add check (a > 0) not valid", ""),
        ("alter table t validate constraint c", "scan"),
        ("alter table t add primary key (a)", "build"),
        ("alter table t add primary key using index i", ""),
        ("alter table t set unlogged", "rewrite"),
        ("create index on t (a)", "build"),
        ("create index concurrently on t (a)", ""),
    ],
)
def test_what_a_statement_does_with_rows_is_told(sql: str, cost: str) -> None:
    (piece,) = parse_script(sql)
    assert read_change(piece).cost == cost


def _words(mode: str) -> str:
    """AccessExclusiveLock as LOCK TABLE spells it."""
    plain = mode.removesuffix("Lock")
    return "".join(f" {char}" if char.isupper() else char for char in plain).strip().upper()
