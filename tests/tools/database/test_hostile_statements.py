"""Statements that try to write, to reach out or to see secrets: refused, and nothing happened outside."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import psycopg
import pytest

from agent.executor import Executor
from tools.errors import SergeiError

pytestmark = pytest.mark.anyio

HOSTILE = (
    "insert into touched values (1)",
    "update touched set n = 5",
    "delete from visits",
    "truncate touched",
    "drop table touched",
    "create table mine (a int)",
    "with gone as (delete from visits returning *) select count(*) from gone",
    "with a as (select 1), b as (update touched set n = 9 returning n) select * from a, b",
    "select * into stolen from codes",
    "create table stolen as select * from codes",
    "select * from codes for update",
    "select * from codes for share",
    "copy codes to '/tmp/stolen'",
    "copy codes to program 'id > /tmp/stolen'",
    "do $$ begin update public.touched set n = 1; end $$",
    "call nothing()",
    "set work_mem = '1GB'",
    "reset all",
    "listen channel",
    "notify channel, 'x'",
    "begin",
    "commit; drop table touched",
    "select 1; drop table touched",
    "explain analyze delete from visits",
    "prepare p as delete from visits",
    "lock table codes",
    "vacuum",
    "refresh materialized view roster",
    "select bump()",
    "select public.bump() from codes",
    'select "bump"()',
    'select "public"."bump" ()',
    "select * from bump()",
    "select * from rows from (bump())",
    "select (select bump())",
    "select case when true then bump() end",
    "select code from codes order by bump()",
    "select code from codes where bump() > 0",
    "select count(*) filter (where bump() > 0) from codes",
    "select stable_bump()",
    "select dynamic('select pg_sleep(0)')",
    "select p.name_of from profiles p",
    "select (p).name_of from profiles p",
    "select 1 @!@ 2",
    "select 1 operator(public.@!@) 2",
    "select loud_sum(n) from touched",
    "select 1::checked",
    "select cast(1 as public.checked)",
    "select * from trap",
    "with t as (select * from trap) select n + 1 from t",
    "select nextval('ticket')",
    "select setval('ticket', 100)",
    "select pg_advisory_lock(1)",
    "select pg_try_advisory_lock_shared(1, 2)",
    "select pg_catalog.pg_advisory_lock(i) from generate_series(1, 1000) i",
    "select set_config('role', 'postgres', false)",
    "select set_config('transaction_read_only', 'off', true)",
    "select pg_notify('channel', 'x')",
    "select pg_sleep(0.01)",
    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()",
    "select pg_cancel_backend(1)",
    "select pg_stat_reset()",
    "select pg_reload_conf()",
    "select pg_switch_wal()",
    "select pg_create_physical_replication_slot('s')",
    "select pg_logical_emit_message(false, 'a', 'b')",
    "select pg_export_snapshot()",
    "select txid_current()",
    "select lo_create(0)",
    "select lo_import('/etc/passwd')",
    "select lo_from_bytea(0, 'x')",
    "select pg_read_file('/etc/passwd')",
    "select pg_read_binary_file('/etc/passwd')",
    "select * from pg_ls_dir('/')",
    "select pg_stat_file('/etc/passwd')",
    "select query_to_xml('delete from public.visits returning 1', true, true, '')",
    "select table_to_xml('public.profiles', true, true, '')",
    "select database_to_xml(true, true, '')",
    "select cursor_to_xml('c', 1, true, true, '')",
    "select * from ts_stat('select to_tsvector(full_name) from public.profiles')",
    "select ts_rewrite('a'::tsquery, 'select 1')",
    "select * from pg_authid",
    "table pg_shadow",
    'select * from "pg_catalog"."pg_authid"',
    "select rolpassword from pg_authid where true or exists (select 1)",
    "select most_common_vals from pg_stats",
    "select * from pg_statistic",
    "select * from pg_user_mappings",
    "select setconfig from pg_db_role_setting",
    "select * from pg_hba_file_rules",
    "select current_setting('app.settings.jwt_secret', true)",
    "select current_setting('app.' || 'jwt_secret', true)",
    "show app.settings.jwt_secret",
    "show all",
    "show primary_conninfo",
)

FINGERPRINT = """
select (select n from public.touched limit 1), (select count(*) from public.touched),
       (select count(*) from public.visits), (select count(*) from pg_class), (select count(*) from pg_proc),
       (select last_value from public.ticket), (select is_called from public.ticket),
       (select count(*) from pg_locks where locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())),
       (select count(*) from pg_largeobject_metadata), (select count(*) from pg_replication_slots
        where database = current_database()),
       (select stats_reset from pg_stat_database where datname = current_database()),
       (select count(*) from pg_db_role_setting
        where setrole = current_user::regrole
           or setdatabase = (select oid from pg_database where datname = current_database())),
       (select count(*) from pg_listening_channels())
"""


def fingerprint(outside: psycopg.Connection[Any]) -> Any:
    """What a hostile statement could have changed, seen by another session."""
    return outside.execute(FINGERPRINT).fetchone()


@pytest.mark.parametrize("sql", HOSTILE)
async def test_a_hostile_statement_is_refused_and_changes_nothing(
    gate: Executor, outside: psycopg.Connection[Any], sql: str
) -> None:
    before = fingerprint(outside)
    outcome = await gate.call("execute_sql", {"sql": sql})
    assert outcome.failure is not None
    assert outcome.failure.kind in {"refused", "invalid_input"}, outcome.failure
    assert fingerprint(outside) == before


@pytest.mark.parametrize(
    "sql",
    [
        "select bump()",
        "select pg_advisory_lock(5)",
        "with gone as (delete from public.visits returning *) select * from gone",
    ],
)
async def test_without_the_guard_the_session_itself_would_still_not_write(gate: Executor, sql: str) -> None:
    """The layers below: DECLARE takes plain queries only, the transaction is READ ONLY, locks end with it."""
    database = gate.resources.database
    refusal = nullcontext() if "advisory" in sql else pytest.raises(SergeiError)
    with refusal:
        async with database.session() as session:
            await session.plain(f"DECLARE c CURSOR FOR {sql}")
            await session.run("FETCH FORWARD 1 FROM c")
    held = await database.fetch(
        "select count(*)::int as n from pg_locks where locktype = 'advisory' and objid = 5"
    )
    assert held == [{"n": 0}]


async def test_nothing_of_a_call_survives_into_the_next(gate: Executor) -> None:
    claims = {"sub": "00000000-0000-0000-0000-000000000001"}
    first = await gate.call(
        "execute_sql", {"sql": "select current_user", "as_role": "pg_monitor", "claims": claims}
    )
    sql = "select current_user, current_setting('request.jwt.claim.sub', true), current_setting('role')"
    second = await gate.call("execute_sql", {"sql": sql})
    assert first.structured()["rows"] == [["pg_monitor"]]
    _, subject, role = second.structured()["rows"][0]
    assert (subject or "", role) == ("", "none")
