"""plpgsql_check, where it is installed: every error of every function, and no false ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tools.database.connection import Database
from tools.errors import ConfigurationError
from tools.findings import Finding
from tools.rls import checking
from tools.rls.reading import read_here, read_snapshot
from tools.rls.rules.function_body_broken import RULE
from tools.rls.saving import dump, encoded, load
from tools.rls.snapshot import Snapshot
from tools.sandbox.binaries import choose_binaries
from tools.sandbox.cluster import Cluster, SandboxSettings
from tools.sandbox.scratch.session import ScratchSession

pytestmark = pytest.mark.anyio

SCHEMA = """
create schema extensions;
create schema app;
create table public.t (id int, name text);
create table app.u (id int);
insert into public.t values (1, 'jane');
"""

# An extension of this name, with one function that answers from the body: `-- said SQLSTATE|message|context`.
STAND_IN = """
set allow_system_table_mods = on;
insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
  select 99999, 'plpgsql_check', 10, oid, false, '2.7' from pg_namespace where nspname = 'extensions';
reset allow_system_table_mods;
create function extensions.plpgsql_check_function_tb(
  funcoid regprocedure, relid regclass default 0, fatal_errors boolean default true,
  other_warnings boolean default true, performance_warnings boolean default false,
  extra_warnings boolean default true, oldtable name default null, newtable name default null
) returns table (
  functionid regproc, lineno int, statement text, sqlstate text, message text, detail text, hint text,
  level text, "position" int, query text, context text
) language plpgsql as $$
declare source text := (select prosrc from pg_catalog.pg_proc where oid = funcoid);
begin
  if fatal_errors or current_setting('transaction_read_only') <> 'on' then raise 'not like this'; end if;
  if source like '%crashes%' then raise 'jane' using errcode = 'XX000'; end if;
  if source like '%sleeps%' then perform pg_catalog.pg_sleep(60); end if;
  return query select funcoid::oid::regproc, 3, 'PERFORM', one[1], replace(one[2], '@', '"doe"'),
    null::text, null::text, 'error', null::int, null::text, nullif(one[3], '')
    from regexp_matches(source, '-- said (.*?)[|](.*?)[|](.*?)$', 'gn') as one;
  return query select funcoid::oid::regproc, 1, 'x', '00000', 'unused variable', null::text, null::text,
    'warning extra', null::int, null::text, null::text;
end $$;
alter extension plpgsql_check add function extensions.plpgsql_check_function_tb;
"""

BODIES = """
create function app.right() returns void language plpgsql as $$ begin perform 1; end $$;
create function app.both() returns void language plpgsql as $$ begin
  -- said 42703|column "gone" of relation "t" does not exist|
  -- said 22P02|invalid input value for enum st: "gone"|at assignment to variable "v" declared on line 1
  update public.t set gone = 1; end $$;
create function app.calls() returns void language plpgsql as $$ begin
  -- said 42703|secret jane|PL/pgSQL function leak() line 1 at RAISE
  perform 1; end $$;
create function app.quotes() returns void language plpgsql as $$ begin
  -- said 22P02|invalid input syntax for type integer: @|at assignment to variable "v" declared on line 1
  perform 1; end $$;
create function app.crash() returns void language plpgsql as $$ begin perform 'crashes'; end $$;
"""


def broken(snapshot: Snapshot) -> dict[str, Finding]:
    return {finding.object: finding for finding in RULE.check(snapshot)}


async def read(dsn: str) -> Snapshot:
    database = Database(dsn)
    try:
        return await read_snapshot(database)
    finally:
        await database.close()


@pytest.fixture
def stand_in(cluster: Cluster) -> Iterator[str]:
    with cluster.scratch("bodycheck") as dsn:
        with psycopg.connect(dsn, autocommit=True) as session:
            for text in (SCHEMA, STAND_IN, BODIES):
                session.execute(text.encode())
        yield dsn


async def test_what_the_extension_says_is_told_once_and_without_values(stand_in: str) -> None:
    snapshot = await read(stand_in)
    by_name = {function.name: function for function in snapshot.functions if function.schema == "app"}
    assert by_name["right"].checked and by_name["right"].errors == ()
    assert [error.sqlstate for error in by_name["both"].errors] == ["22P02", "42703"]
    assert not by_name["crash"].checked and not by_name["calls"].checked
    both = broken(snapshot)["app.both()"]
    assert both.evidence.startswith(
        "not in the catalog: public.t.gone (line 3); plpgsql_check: line 3: invalid"
    )
    assert both.message.count("gone") == 2 and 'enum st: "gone"' in both.message
    assert set(broken(snapshot)) == {"app.both()", "app.quotes()"}
    gaps = dict(snapshot.gaps)
    assert "internal error" in gaps["body of app.crash()"]
    assert "undefined column" in gaps["body of app.calls()"]
    assert "jane" not in dump(snapshot, "here", datetime(2030, 1, 1, tzinfo=UTC)).replace(
        "-- said 42703|secret jane", ""
    )
    assert [error.message for error in by_name["quotes"].errors] == ["invalid text representation"]
    assert not any("jane" in finding.message + finding.evidence for finding in broken(snapshot).values())


async def test_a_saved_snapshot_keeps_it_and_a_scratch_copy_reads_the_same(stand_in: str) -> None:
    snapshot = await read(stand_in)
    text = dump(snapshot, "here", datetime(2030, 1, 1, tzinfo=UTC))
    assert encoded(load(text).snapshot) == encoded(snapshot)
    with ScratchSession(stand_in) as session:
        assert encoded(read_here(session).functions) == encoded(snapshot.functions)
        assert session.rows("show transaction_read_only") == [("off",)]


async def test_a_function_that_takes_too_long_is_a_gap(
    stand_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "STATEMENT", 0.5)
    with psycopg.connect(stand_in, autocommit=True) as session:
        session.execute(
            b"create function app.slow() returns void language plpgsql as 'begin perform ''sleeps''; end'"
        )
    snapshot = await read(stand_in)
    assert "query canceled" in dict(snapshot.gaps)["body of app.slow()"]
    assert "app.both()" in broken(snapshot)


async def test_a_login_that_may_not_call_it_is_told_and_nothing_is_lost(stand_in: str) -> None:
    with psycopg.connect(stand_in, autocommit=True) as session:
        session.execute(b"alter extension plpgsql_check drop function extensions.plpgsql_check_function_tb")
    snapshot = await read(stand_in)
    assert "may not call it" in dict(snapshot.gaps)["plpgsql_check"]
    assert set(broken(snapshot)) == {"app.both()"}


REAL = """
create extension plpgsql_check schema extensions;
create function public.leak() returns int immutable language plpgsql as $$
begin raise exception 'secret %', (select name from public.t) using errcode = '42703'; end $$;
create function public.fold() returns void language plpgsql as $$ begin perform public.leak(); end $$;
create function public.multi() returns int language plpgsql as $$
begin
  update public.t set aa = 1;
  insert into public.t (bb) values (1);
  perform app.nofn(1);
  select gone from public.t;
  return 'abc'::int;
end $$;
create function app.unqualified() returns int language plpgsql as $$ begin return (select id from u); end $$;
create function public.optional() returns void language plpgsql as $$
begin perform 1 from public.jobs; exception when undefined_table then null; end $$;
create function public.counted() returns trigger language plpgsql as $$
begin perform count(*) from changed; return null; end $$;
create trigger counted after update on public.t referencing new table as changed
  for each statement execute function public.counted();
create function public.branches() returns trigger language plpgsql as $$
begin
  if tg_table_name = 't' then new.name := 'x'; end if;
  new.bar := 3;
  return new;
end $$;
create trigger branches before insert on public.t for each row execute function public.branches();
create trigger branches before insert on app.u for each row execute function public.branches();
"""


async def test_the_real_extension_finds_every_error_and_no_false_one(tmp_path: Path) -> None:
    try:
        choose_binaries("system", ("plpgsql_check",))
    except ConfigurationError as absent:
        pytest.skip(str(absent))
    settings = SandboxSettings(
        cache_dir=tmp_path / "system", server="system", extensions=("plpgsql_check",), idle_seconds=0.0
    )
    with Cluster.open(settings) as cluster, cluster.scratch("real") as dsn:
        with psycopg.connect(dsn, autocommit=True) as session:
            session.execute((SCHEMA + REAL).encode())
        snapshot = await read(dsn)
        with ScratchSession(dsn) as session:
            assert encoded(read_here(session).functions) == encoded(snapshot.functions)
    found = broken(snapshot)
    assert set(found) == {"public.multi()", "public.branches()"}
    for name in (
        "public.t.aa (line 3)",
        "public.t.bb (line 4)",
        "app.nofn() (line 5)",
        'line 6: column "gone"',
    ):
        assert name in found["public.multi()"].evidence
    assert "22P02 in RETURN" in found["public.multi()"].evidence
    assert (
        "NEW.bar" in found["public.branches()"].message and "name" not in found["public.branches()"].message
    )
    multi = next(function for function in snapshot.functions if function.name == "multi")
    assert [error.line for error in multi.errors] == [3, 4, 5, 6, 7]
    assert "could not read a statement" in dict(snapshot.gaps)["body of public.fold()"]
    assert "jane" not in dump(snapshot, "here", datetime(2030, 1, 1, tzinfo=UTC))
