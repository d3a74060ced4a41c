"""change_sql: shown exactly, tried out when that is safe, run only after a yes, all of it or nothing."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from agent.approvals import Answer, Decision, Mode, Request
from agent.executor import Executor, Outcome
from tests.conftest import MakeExecutor
from tools.database.changes import read_change
from tools.database.sqltext import parse_one
from tools.registry import Effect, Preview

pytestmark = pytest.mark.anyio


class Person:
    """Answers every request the same way and remembers what was shown."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Decision:
        self.requests.append(request)
        return Decision(self.answer, by="test", reason="not today")

    @property
    def preview(self) -> Preview:
        """What was shown last."""
        return self.requests[-1].preview


async def change(make_executor: MakeExecutor, dsn: str, sql: str, person: Person | None) -> Outcome:
    """The outcome of change_sql in a session of its own."""
    executor: Executor = make_executor(dsn, mode=Mode.ACT, asker=person)
    outcome = await executor.call("change_sql", {"sql": sql})
    await executor.resources.database.close()
    return outcome


def value(dsn: str, sql: str) -> Any:
    """One value, read from outside."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(sql.encode()).fetchone()
    return row[0] if row else None


async def test_a_no_changes_nothing_but_shows_the_dry_run(
    clinic_copy: str, make_executor: MakeExecutor
) -> None:
    person, sql = Person(Answer.DENY), "update codes set price = price + 1 where code <> 'Z00'"
    outcome = await change(make_executor, clinic_copy, sql, person)
    assert outcome.failure is not None and outcome.failure.kind == "refused"
    assert person.preview.action == sql
    assert "affects 2 rows" in person.preview.evidence
    assert "sandbox" in person.preview.target
    assert value(clinic_copy, "select sum(price) from codes") == 21.5


async def test_a_yes_commits_and_returns_no_values(clinic_copy: str, make_executor: MakeExecutor) -> None:
    sql = "update profiles set score = 1 where full_name = 'Quill Person7' returning full_name, dob"
    outcome = await change(make_executor, clinic_copy, sql, Person(Answer.ONCE))
    done = {"command": "UPDATE", "tables": ["public.profiles"], "rows": 1, "tag": "UPDATE 1"}
    assert outcome.structured()["statements"] == [done]
    assert outcome.result is not None
    assert outcome.result.audit_facts().fields() == {"rows": 1, "tables": ["public.profiles"]}
    assert "Quill" not in outcome.markdown()
    assert value(clinic_copy, "select count(*) from profiles where score = 1") == 1


async def test_nobody_to_ask_and_investigate_mode_refuse(
    clinic_copy: str, make_executor: MakeExecutor
) -> None:
    headless = await change(make_executor, clinic_copy, "delete from codes", None)
    executor = make_executor(clinic_copy, mode=Mode.INVESTIGATE, asker=Person(Answer.ONCE))
    investigating = await executor.call("change_sql", {"sql": "delete from codes"})
    await executor.resources.database.close()
    for outcome in (headless, investigating):
        assert outcome.failure is not None and outcome.failure.kind == "refused"
    assert value(clinic_copy, "select count(*) from codes") == 3


async def test_a_script_is_all_or_nothing(clinic_copy: str, make_executor: MakeExecutor) -> None:
    before = value(clinic_copy, "select n from touched")
    sql = (
        "update touched set n = 7; insert into codes values ('X', 'x'); insert into codes values"
        " ('E11', 'Quill')"
    )
    outcome = await change(make_executor, clinic_copy, sql, Person(Answer.ONCE))
    assert outcome.failure is not None
    assert "Statement 3 of 3 (INSERT, line 1) failed and nothing was changed" in outcome.failure.message
    assert outcome.failure.code == "23505" and "codes_pkey" in outcome.failure.message
    assert "Quill" not in outcome.markdown() and "E11" not in outcome.markdown()
    assert value(clinic_copy, "select n from touched") == before != 7


@pytest.mark.parametrize(
    ("sql", "undo"),
    [
        ("create policy p on codes for select using (true)", "DROP POLICY p ON codes;"),
        (
            "alter table codes enable row level security",
            "ALTER TABLE public.codes DISABLE ROW LEVEL SECURITY;",
        ),
        ("grant select on codes to pg_monitor", "REVOKE SELECT ON TABLE codes FROM pg_monitor;"),
        ("create table fresh (id int)", "DROP TABLE fresh;"),
        ("alter table codes add column note text", "ALTER TABLE public.codes DROP COLUMN note;"),
        ("create index i on codes (display)", "DROP INDEX public.i;"),
    ],
)
async def test_the_way_back_is_sql_that_works(
    clinic_copy: str, make_executor: MakeExecutor, sql: str, undo: str
) -> None:
    person = Person(Answer.ONCE)
    outcome = await change(make_executor, clinic_copy, sql, person)
    assert outcome.failure is None, outcome.failure
    assert person.preview.undo.startswith(undo)
    again = await change(make_executor, clinic_copy, person.preview.undo, Person(Answer.ONCE))
    assert again.failure is None, again.failure


@pytest.mark.parametrize(
    ("sql", "query"),
    [
        (
            "drop policy own_rows on profiles",
            "select pg_get_expr(polqual, polrelid) from pg_policy where polname = 'own_rows'",
        ),
        (
            "alter policy own_rows on profiles using (true)",
            "select pg_get_expr(polqual, polrelid) from pg_policy where polname = 'own_rows'",
        ),
        (
            "drop policy keep_out on profiles",
            "select polpermissive::text || polcmd::text from pg_policy where polname = 'keep_out'",
        ),
        (
            "create or replace function pure(x int) returns int language sql immutable as 'select 5'",
            "select pure(1)",
        ),
        ("drop function pure(int)", "select pure(1)"),
        (
            "drop trigger visits_touch on visits",
            "select pg_get_triggerdef(oid) from pg_trigger where tgname = 'visits_touch'",
        ),
        ("drop index visits_profile", "select pg_get_indexdef('visits_profile'::regclass)"),
        ("drop view code_list", "select count(*) from code_list"),
    ],
)
async def test_undo_restores_what_was_there(
    clinic_copy: str, make_executor: MakeExecutor, sql: str, query: str
) -> None:
    before, person = value(clinic_copy, query), Person(Answer.ONCE)
    first = await change(make_executor, clinic_copy, sql, person)
    second = await change(make_executor, clinic_copy, person.preview.undo, Person(Answer.ONCE))
    assert (first.failure, second.failure) == (None, None)
    assert value(clinic_copy, query) == before


@pytest.mark.parametrize(
    ("sql", "words", "destructive"),
    [
        ("delete from visits", "without WHERE: every row of visits is deleted", True),
        ("update visits set remark = null", "without WHERE: every row of visits is changed", True),
        ("delete from visits where id = 1", "gone after the commit", True),
        ("update visits set remark = null where id = 1", "", False),
        ("delete from visits where true", "always true: every row of visits is deleted", True),
        ("update visits set remark = null where 1 = 1 or id = 2", "always true: every row", True),
        ("alter view names set (security_invoker = off)", "OWNER's rights", True),
        ("alter view names reset (security_invoker)", "OWNER's rights", True),
        (
            "alter view names set (security_invoker = true)",
            "checks the rights and policies of who reads",
            False,
        ),
        (
            "alter default privileges in schema public grant select on tables to anon",
            "From now on anon gains SELECT on every new table",
            True,
        ),
        ("grant service_role to authenticated", "may do everything that service_role may", True),
        ("create role x bypassrls", "sees every row of every patient", True),
        ("alter function pure(int) owner to x", "runs with the rights of x from now on", True),
        ("alter table profiles owner to x", "owners pass row level security", True),
        ("alter publication supabase_realtime add table visits", "streamed to the subscribers", True),
        ("set local session_replication_role = replica", "foreign keys are not checked", True),
        ("drop owned by x", "EVERYTHING that x owns", True),
        ("drop role x", "cannot log in", True),
        ("alter database x set work_mem = '1MB'", "not known to Sergei", True),
        ("create publication p for all tables", "EVERY table", True),
        ("revoke select on codes from public cascade", "also takes what they passed on", False),
        ("drop table visits cascade", "only a backup brings them back. CASCADE", True),
        ("truncate visits", "Every row of visits is gone", True),
        (
            "alter table profiles disable row level security",
            "whoever has a grant on profiles sees every row",
            True,
        ),
        ("alter table profiles drop column dob", "dob of profiles and its values are gone", True),
        ("create policy p on profiles using (true)", "every row of profiles that the policy accepts", True),
        ("drop policy own_rows on profiles", "no longer applies", True),
        ("grant select on profiles to public", "everybody who can reach the API", True),
        ("revoke all on profiles from public", "Grants to anon and authenticated by name stay", False),
        ("do $$ begin null; end $$", "effects cannot be told", True),
        (
            "create function f() returns int security definer language sql as 'select 1'",
            "owner's rights",
            False,
        ),
    ],
)
def test_the_consequence_is_said(sql: str, words: str, destructive: bool) -> None:
    described = read_change(parse_one(sql))
    assert words in described.consequence
    assert described.destructive is destructive


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("begin", "transaction control"),
        ("commit", "transaction control"),
        ("savepoint a", "transaction control"),
        ("vacuum codes", "VACUUM"),
        ("create index concurrently i on codes (code); select 1", "Statement 1 (CREATE INDEX CONCURRENTLY)"),
        ("create table a (); drop index concurrently i", "cannot be part of a transaction"),
        ("reindex (concurrently) index i; select 1", "cannot be part of a transaction"),
        ("reindex database x", "REINDEX"),
        ("create role x login password 'secret'", "password"),
        ("alter role x password 'secret'", "password"),
        ("reindex table codes", "REINDEX"),
        ("alter table readings detach partition readings_2025 concurrently", "CONCURRENTLY"),
        ("create database x", "CREATE DATABASE"),
        ("drop database x", "DROP DATABASE"),
        ("alter system set work_mem = '1GB'", "whole server"),
        ("copy codes from program 'id'", "COPY"),
        ("copy codes to '/tmp/x'", "COPY"),
        ("set search_path = x", "SET would end"),
        ("set local role postgres", "the login that was shown"),
        ("load 'x'", "LOAD"),
        ("explain delete from codes", "only reads"),
        ("update touched set n = 1; commit; drop table codes", "Statement 2 (TRANSACTION)"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_before_anybody_is_asked(
    clinic: str, make_executor: MakeExecutor, sql: str, words: str
) -> None:
    person = Person(Answer.ONCE)
    outcome = await change(make_executor, clinic, sql, person)
    assert outcome.failure is not None and outcome.failure.kind == "refused"
    assert words in outcome.failure.message
    assert person.requests == []


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("insert into codes values ('a', dynamic('select 1'))", "builds SQL at run time"),
        ("update touched set n = bump()", "VOLATILE"),
        ("update touched set n = 1 where pg_sleep(0) is null", "only waits"),
        ("update touched set n = setval('ticket', 9)", "moves a sequence"),
        ("select bump()", "cannot be told"),
        ("do $$ begin null; end $$", "cannot be told"),
        ("drop table touched", "takes its locks"),
        ("truncate touched", "locks the table"),
        (
            "create function f() returns int language sql as 'select 1'; update touched set n = f()",
            "defines code",
        ),
        ("insert into touched select 1 from generate_series(1, 100000)", "written twice"),
        ("refresh materialized view roster", "not tried out"),
        ("set local statement_timeout = 0; update touched set n = 1", "it changes statement_timeout"),
    ],
)
async def test_no_dry_run_where_it_would_not_be_safe(
    clinic: str, make_executor: MakeExecutor, outside: psycopg.Connection[Any], sql: str, reason: str
) -> None:
    state = (
        "select (select last_value from ticket), (select sum(n) from touched), (select count(*) from touched)"
    )
    before, person = outside.execute(state).fetchone(), Person(Answer.DENY)
    await change(make_executor, clinic, sql, person)
    assert person.preview.evidence.startswith("No dry run")
    assert reason in person.preview.evidence
    assert outside.execute(state).fetchone() == before


async def test_a_trigger_that_reaches_outside_forbids_the_dry_run(
    clinic_copy: str, make_executor: MakeExecutor
) -> None:
    _script(
        clinic_copy,
        "create function notify_out() returns trigger language plpgsql as"
        " $$ begin perform lo_import('/etc/hostname'); return null; end $$",
        "create trigger outward after delete on visits for each row execute function notify_out()",
    )
    person = Person(Answer.DENY)
    await change(make_executor, clinic_copy, "delete from profiles where score = 700101", person)
    assert "a trigger runs lo_import(), which reads or writes large objects" in person.preview.evidence


async def test_a_dry_run_that_fails_says_so_without_values(clinic: str, make_executor: MakeExecutor) -> None:
    person = Person(Answer.DENY)
    sql = "update profiles set status = full_name"
    await change(make_executor, clinic, sql, person)
    assert "FAILED" in person.preview.evidence and "profiles_status_check" in person.preview.evidence
    assert "Quill" not in repr(person.requests)


async def test_a_destructive_statement_is_asked_as_destructive(
    clinic: str, make_executor: MakeExecutor
) -> None:
    person = Person(Answer.DENY)
    await change(make_executor, clinic, "delete from visits", person)
    assert person.requests[-1].effect is Effect.DESTRUCTIVE


async def test_a_held_lock_ends_the_change_after_its_lock_timeout(
    clinic_copy: str, make_executor: MakeExecutor
) -> None:
    executor = make_executor(clinic_copy, mode=Mode.ACT, asker=Person(Answer.ONCE))
    with psycopg.connect(clinic_copy) as holder:
        holder.execute("lock table public.codes in access share mode")
        arguments = {"sql": "alter table codes add column x int", "lock_timeout_seconds": 0.1}
        outcome = await executor.call("change_sql", arguments)
    await executor.resources.database.close()
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.code) == ("conflict", "55P03")


def _script(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
