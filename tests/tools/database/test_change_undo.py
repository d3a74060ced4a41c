"""The promised undo is true: change, undo, and pg_dump --schema-only says what it said before."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from agent.approvals import Answer, Decision, Mode, Request
from tests.conftest import MakeExecutor
from tools.sandbox.binaries import choose_binaries
from tools.sandbox.cluster import Cluster

pytestmark = pytest.mark.anyio

SETUP = """
create view safe_names with (security_invoker = true, security_barrier) as select id, status from profiles;
grant select on safe_names to pg_monitor with grant option;
grant select (code), update (price) on codes to pg_monitor;
grant insert, delete on codes to pg_monitor;
grant select on profiles to public;
alter default privileges in schema public grant execute on functions to pg_monitor;
alter default privileges in schema public grant select on tables to pg_monitor;
comment on policy own_rows on profiles is 'who''s who';
comment on column codes.price is 'in euros';
comment on function pure(int) is 'adds one';
comment on view safe_names is 'no names';
revoke execute on function dynamic(text) from public;
grant execute on function dynamic(text) to pg_monitor;
alter table codes add constraint dear check (price < 1000) not valid;
alter table codes alter column price set default 5;
create publication feed for table codes (code, display) where (code <> 'x'), touched;
create index codes_upper on codes (upper(display)) where price > 0;
create sequence numbered increment 5 minvalue 10 cache 3 cycle;
grant usage on numbered to pg_monitor;
alter table visits disable trigger visits_touch;
create table loose (at date not null, profile_id uuid not null, level int);
create table other (id int primary key, last int not null default 3, note text default 'a\\b');
create trigger other_touch before update on other for each row when (new.id > 0) execute function audit_it();
create function notified() returns trigger language plpgsql security definer set search_path = ''
  as $$ begin return new; end $$;
create statistics about on code, display from codes;
"""
SIZE = 20
KEEPER = f"keeper_{os.getpid()}"
REVERSIBLE = (
    """
create policy p on codes for select using (true)
alter policy own_rows on profiles using (true)
alter policy own_rows on profiles to pg_monitor
alter policy own_rows on profiles rename to mine
drop policy own_rows on profiles
drop policy keep_out on profiles
alter table codes enable row level security
alter table profiles disable row level security
alter table profiles force row level security
grant select on codes to pg_monitor
grant all on codes to public
grant select on codes to pg_monitor with grant option
revoke select on safe_names from pg_monitor cascade
revoke grant option for select on safe_names from pg_monitor cascade
revoke all on codes from pg_monitor
revoke select (code) on codes from pg_monitor
grant select (display), insert (display) on codes to public
grant select on all tables in schema public to public
revoke all on all functions in schema public from public, pg_monitor
grant execute on function dynamic(text) to public
revoke execute on function pure(int) from public
grant usage on schema staff_only to pg_monitor
grant usage on sequence ticket to pg_monitor
grant pg_read_all_data to keeper with admin option
revoke admin option for pg_monitor from keeper
revoke pg_monitor from keeper
alter default privileges in schema public grant all on tables to public
alter default privileges in schema public revoke execute on functions from pg_monitor
alter default privileges revoke execute on functions from public
alter default privileges in schema staff_only grant usage on sequences to pg_monitor
create function fresh(a int, b text) returns int language sql as 'select 1'
create or replace function pure(x int) returns int language sql volatile security definer as 'select 5'
create or replace function pure(x text) returns int language sql as 'select 5'
alter function pure(int) security definer
alter function staff_only.definer(int) set search_path = public
alter function pure(int) rename to purer
alter function pure(int) owner to keeper
drop function pure(int)
drop function dynamic
drop function staff_only.definer(int)
create view fresh as select 1 as a
create or replace view code_list as select code, upper(display) as display from codes
create or replace view safe_names as select id, status, score from profiles
create or replace view safe_names as select id, status from profiles
alter view names set (security_invoker = true)
alter view safe_names set (security_invoker = false)
alter view safe_names reset (security_invoker)
alter view safe_names owner to keeper
alter view safe_names rename to safer
drop view safe_names
drop view names_again, code_list
drop materialized view roster
create trigger fresh before insert on codes for each row execute function audit_it()
create or replace trigger other_touch after insert on other for each row execute function audit_it()
drop trigger visits_touch on visits
drop trigger other_touch on other
alter table visits enable trigger visits_touch
alter table visits enable always trigger visits_touch
alter table other disable trigger user
alter trigger other_touch on other rename to touched_other
alter table codes add constraint cheap check (price < 500)
alter table codes add unique (display)
alter table visits add foreign key (id) references other (id) not valid
alter table codes drop constraint dear
alter table profiles drop constraint profiles_status_check
alter table codes validate constraint dear
alter table codes rename constraint dear to costly
create index on codes (display, price)
create index visits_profile_2 on visits using hash (profile_id)
drop index codes_upper
drop index visits_profile
alter index codes_upper rename to codes_loud
alter table codes add column note text not null default 'x'
alter table codes add column if not exists price numeric, add column extra int
alter table other drop column note
alter table codes alter column price drop default
alter table codes alter column price set default 7
alter table other alter column note drop default
alter table other alter column last drop not null
alter table other alter column note set not null
alter table codes alter column price type numeric(12,2)
alter table other alter column last type bigint
alter table codes alter column display set statistics 500
alter table codes set (fillfactor = 70, autovacuum_enabled = false)
alter table codes rename column price to cost
alter table other rename to others
alter table other owner to keeper
alter table other replica identity full
alter table other set unlogged
alter table other set schema staff_only
alter table readings detach partition readings_2025
alter table readings attach partition loose for values from ('2030-01-01') to ('2031-01-01')
create table fresh (id serial primary key, code text references codes)
create table if not exists fresh as select 1 as a
create schema fresh
create type fresh as enum ('a')
alter type visit_status rename value 'planned' to 'meant'
comment on column codes.price is 'free'
comment on policy own_rows on profiles is null
comment on function pure(int) is 'x'
comment on table touched is 'it''s touched'
comment on constraint dear on codes is 'too much'
create sequence fresh
alter sequence numbered increment 2 minvalue 1 no cycle
alter sequence ticket owner to keeper
drop sequence numbered
create publication fresh for table codes
alter publication feed add table visits
alter publication feed drop table codes
alter publication feed set table visits
alter publication feed set (publish = 'insert')
alter publication feed rename to feeds
drop publication feed
create statistics fresh on code, price from codes
alter table codes add column a int; alter table codes alter a set default 1; grant select on codes to public
create table fresh (id int); alter table fresh force row level security; create policy p on fresh using (true)
drop policy own_rows on profiles; create policy own_rows on profiles using (false)
create function fresh() returns int language sql as 'select 1'; revoke all on function fresh() from public
""".strip()
    .replace("keeper", KEEPER)
    .splitlines()
)


def dump(dsn: str) -> str:
    """The schema as pg_dump writes it, and role memberships, without its random restrict key."""
    ran = subprocess.run(
        [str(choose_binaries("embedded", ()).bin_dir / "pg_dump"), "--schema-only", "-d", dsn],
        capture_output=True,
        text=True,
        check=True,
    )
    with psycopg.connect(dsn) as connection:
        members = connection.execute(
            "select roleid::regrole::text, admin_option from pg_auth_members where member = %s::regrole"
            " order by 1",
            [KEEPER],
        ).fetchall()
    text = re.sub(r"(?m)^\\(un)?restrict .*\n", "", ran.stdout)
    # The order of a view's options means nothing.
    options = re.compile(r"WITH \(([^)]*)\) AS")
    text = options.sub(lambda found: f"WITH ({sorted(found[1].split(', '))}) AS", text)
    return text + repr(members)


@pytest.fixture(scope="module")
def ward_template(cluster: Cluster, clinic_template: str) -> Iterator[str]:
    """The clinic with more kinds of objects, to be copied."""
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f"create role {KEEPER}".encode())
        connection.execute(f"grant pg_monitor to {KEEPER} with admin option".encode())
    with cluster.scratch("ward", template=clinic_template) as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(SETUP.encode())
        yield str(conninfo_to_dict(dsn)["dbname"])
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f"drop role {KEEPER}".encode())


@pytest.fixture
def ward(cluster: Cluster, ward_template: str) -> Iterator[str]:
    """A copy of one's own."""
    with cluster.scratch("undo", template=ward_template) as dsn:
        yield dsn


class Yes:
    """Says yes and remembers the undo that was shown."""

    undo = ""

    async def __call__(self, request: Request) -> Decision:
        self.undo = request.preview.undo
        return Decision(Answer.ONCE, by="test")


@pytest.mark.parametrize("group", range(0, len(REVERSIBLE), SIZE))
async def test_the_promised_undo_restores_the_schema(
    ward: str, make_executor: MakeExecutor, group: int
) -> None:
    before, told, person = dump(ward), list[str](), Yes()
    executor = make_executor(ward, mode=Mode.ACT, asker=person)
    for sql in REVERSIBLE[group : group + SIZE]:
        done = await executor.call("change_sql", {"sql": sql})
        back = person.undo
        undone = await executor.call("change_sql", {"sql": back})
        assert (done.failure, undone.failure) == (None, None), f"{sql}\n{back}"
        told.append(f"{sql}\n    {back}")
    await executor.resources.database.close()
    assert dump(ward) == before, "\n".join(told)
