"""Counting policies: nothing changes but the count, the count is right, and the way back is exact."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any, Final

import psycopg
import pytest
from psycopg import sql

from agent.reports import coverage as page
from tests.agent.test_cli import Sergei, one_sentence, sergei
from tests.tools.rls.proof import sample
from tools.database.connection import Database
from tools.errors import Conflict, NotFound, Refused
from tools.resources import Resources
from tools.rls.coverage import measure
from tools.rls.coverage.instrument import POLICIES
from tools.rls.coverage.measure import Measured, NoArguments, PolicyCoverage

__all__ = ["sergei"]
pytestmark = pytest.mark.anyio

NOTHING: Final = NoArguments()


@pytest.fixture
async def clinic(empty_database: str) -> AsyncIterator[Resources]:
    """The small faulty schema of the proof's tests, with a note in it."""
    with closing(psycopg.connect(empty_database, autocommit=True)) as admin:
        admin.execute(sample.SCHEMA.encode())
        for statement in sample.SEED:
            admin.execute(statement.encode())
    database = Database(empty_database, environment="development")
    yield Resources(database_or_none=database)
    await database.close()


async def start(resources: Resources) -> Measured:
    done = await measure.start_coverage.body(NOTHING, resources)
    assert isinstance(done, Measured)
    return done


async def stop(resources: Resources) -> Measured:
    done = await measure.stop_coverage.body(NOTHING, resources)
    assert isinstance(done, Measured)
    return done


async def states(resources: Resources) -> dict[tuple[str, str], tuple[int, int]]:
    """(policy, clause) -> true, false, of the user's own tables."""
    found = await measure.report_coverage.body(NOTHING, resources)
    assert isinstance(found, PolicyCoverage)
    return {
        (c.policy, c.clause): (c.true, c.false) for c in found.clauses if c.relation.startswith("public.")
    }


def act(dsn: str, account: str, *statements: str, read_only: bool = False) -> list[Any]:
    """A test of somebody's: as an account, in a transaction that is rolled back."""
    results: list[Any] = []
    with closing(psycopg.connect(dsn)) as connection:
        connection.read_only = read_only
        for step in sample.acting(account):
            connection.execute(step.encode())
        for statement in statements:
            try:
                with connection.transaction():
                    cursor = connection.execute(statement.encode())
                    results.append(cursor.fetchall() if cursor.description else cursor.rowcount)
            except psycopg.Error as error:
                results.append(error.sqlstate)
        connection.rollback()
    while_open(dsn)
    return results


def while_open(dsn: str) -> None:
    """A session hands in its counts as it ends, which is a moment after we closed it."""
    others = "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    ours = " and application_name <> 'sergei' and backend_type = 'client backend'"
    with closing(psycopg.connect(dsn, autocommit=True)) as admin:
        while admin.execute((others + ours).encode()).fetchone():
            pass


async def test_counts_survive_rollback_and_are_kept_in_read_only_transactions(
    clinic: Resources, empty_database: str
):
    await start(clinic)
    assert set((await states(clinic)).values()) == {(0, 0)}
    read = "select id from public.notes"
    assert act(empty_database, sample.STRANGER, read, "select 1/0", read_only=True) == [[(1,)], "22012"]
    write = f"insert into public.notes values (2, '{sample.PROFILE}', ''), (3, '{sample.PROFILE}', 'x')"
    assert act(empty_database, sample.OWNER, write, "select id from public.profiles where false") == [
        "42501",
        [],
    ]
    assert act(empty_database, sample.OWNER, "update public.profiles set owner_id = owner_id") == [1]
    counted = await states(clinic)
    assert counted[("notes_read", "using")] == (1, 0)
    assert counted[("notes_write", "check")] == (0, 1)  # the first row failed, the second was not tried
    assert counted[("own", "using")][0] >= 1 and counted[("own", "using")][1] == 0
    assert counted[("notes_remove", "using")] == (0, 0)


async def test_stop_gives_every_policy_its_own_text_back(guardian: str):
    database = Database(guardian, environment="development")
    resources = Resources(database_or_none=database)
    before = await database.fetch(POLICIES)
    done = await start(resources)
    during = await database.fetch(POLICIES)
    assert done.clauses > 180 and len(during) == len(before) >= 156
    assert all("sergei_coverage." in (row["using_text"] or row["check_text"]) for row in during)
    back = await stop(resources)
    assert (back.clauses, back.left) == (done.clauses, ())
    assert await database.fetch(POLICIES) == before
    gone = "select 1 as found from pg_namespace where nspname = 'sergei_coverage'"
    assert await database.fetch(gone) == []
    await database.close()


async def test_everybody_sees_the_same_rows_while_it_counts(guardian: str):
    database = Database(guardian, environment="development")
    resources = Resources(database_or_none=database)
    before = visible(guardian)
    await start(resources)
    assert visible(guardian) == before
    found = await measure.report_coverage.body(NOTHING, resources)
    for _ in range(300):  # a session's counts arrive once its server process has ended
        if isinstance(found, PolicyCoverage) and found.percent > 20:
            break
        await asyncio.sleep(0.1)
        found = await measure.report_coverage.body(NOTHING, resources)
    assert isinstance(found, PolicyCoverage) and 20 < found.percent < 100
    await stop(resources)
    assert visible(guardian) == before
    assert len({tuple(seen.items()) for seen in before.values()}) > 5  # the actors differ
    await database.close()


def visible(dsn: str) -> dict[str, dict[str, int]]:
    """Rows that each of some accounts sees in each table."""
    seen: dict[str, dict[str, int]] = {}
    with closing(psycopg.connect(dsn, autocommit=True)) as admin:
        tables = admin.execute(
            "select distinct schemaname, tablename from pg_policies"
            " where has_table_privilege('authenticated', format('%I.%I', schemaname, tablename), 'select')"
            " and schemaname = 'public' order by 1, 2"
        ).fetchall()
        accounts = [row[0] for row in admin.execute("select id::text from auth.users order by id limit 12")]
        counts = sql.SQL(" union all ").join(
            sql.SQL("select {}, count(*) from {}").format(name, sql.Identifier(schema, name))
            for schema, name in tables
        )
        for account in accounts:
            with admin.transaction(force_rollback=True):
                for step in sample.acting(account):
                    admin.execute(step.encode())
                seen[account] = dict(admin.execute(counts).fetchall())
    return seen


async def test_what_somebody_changed_meanwhile_is_left_alone(clinic: Resources, empty_database: str):
    await start(clinic)
    with closing(psycopg.connect(empty_database, autocommit=True)) as admin:
        admin.execute("alter policy notes_read on public.notes using (id > 0)")
        admin.execute("drop policy notes_remove on public.notes")
        admin.execute('alter policy own on public.profiles rename to "Own; rows"')
    assert (await stop(clinic)).left == ("policy notes_read on public.notes",)
    rows = await clinic.database.fetch(POLICIES)
    texts = {row["policy"]: row["using_text"] for row in rows if row["schema"] == "public"}
    assert texts == {"notes_read": "(id > 0)", "Own; rows": "(owner_id = auth.uid())", "notes_write": None}


async def test_a_policy_that_was_built_upon_ours_stops_the_way_back(clinic: Resources, empty_database: str):
    await start(clinic)
    with closing(psycopg.connect(empty_database, autocommit=True)) as admin:
        (text,) = admin.execute("select qual from pg_policies where policyname = 'own'").fetchone() or ("",)
        admin.execute(f"alter policy own on public.profiles using ({text} or id is null)".encode())
    with pytest.raises(Conflict, match=r"policy own on public\.profiles was changed"):
        await stop(clinic)


async def test_it_refuses_where_it_has_no_business(clinic: Resources, empty_database: str):
    production = Resources(database_or_none=Database(empty_database, environment="production"))
    with pytest.raises(Refused, match="not changed to count"):
        await start(production)
    with pytest.raises(NotFound, match="Nothing is being counted"):
        await stop(clinic)
    await start(clinic)
    with pytest.raises(Conflict, match="already"):
        await start(clinic)
    weak = Resources(
        database_or_none=Database(f"{empty_database} user=authenticator", environment="development")
    )
    await stop(clinic)
    with pytest.raises(Refused, match="cannot make functions that count"):
        await start(weak)


async def test_the_report_names_what_was_never_decided_first(clinic: Resources, empty_database: str):
    await start(clinic)
    act(empty_database, sample.STRANGER, "select id from public.notes", "select id from public.profiles")
    found = await measure.report_coverage.body(NOTHING, clinic)
    assert isinstance(found, PolicyCoverage)
    own = found.model_copy(update={"clauses": tuple(c for c in found.clauses if "public" in c.relation)})
    text = page.text(own)
    assert "2 of 4 policies decided something (50 %), 0 of 4 clauses both ways." in text
    order = [
        text.index(word) for word in ("Never decided", "notes_write (INSERT WITH CHECK)", "Only ever true")
    ]
    assert order == sorted(order)
    assert "public.notes: notes_read (SELECT USING)" in text and "public.profiles: own (ALL USING)" in text
    assert "## Only ever false" in page.markdown(own)
    assert {c["state"] for c in json.loads(page.document(own))["clauses"]} == {
        "never",
        "only true",
        "only false",
    }


def test_without_a_terminal_it_prints_its_sql_and_changes_nothing(sergei: Sergei, guardian: str):
    target = ("--database-url", guardian)
    assert "nobody is here to ask" in one_sentence(sergei("rls", "coverage", "start", *target), 4)
    printed = sergei("rls", "coverage", "start", *target, "--print")
    assert printed.returncode == 0 and printed.stdout.startswith("begin;\n")
    with closing(psycopg.connect(guardian, autocommit=True)) as admin:
        admin.execute(printed.stdout.encode())
    low = sergei("rls", "coverage", "report", *target, "--fail-under", "50")
    assert low.returncode == 1 and "Nothing was counted" in low.stdout
    back = sergei("rls", "coverage", "stop", *target, "--print")
    with closing(psycopg.connect(guardian, autocommit=True)) as admin:
        admin.execute(back.stdout.encode())
    assert "Nothing is being counted" in one_sentence(sergei("rls", "coverage", "report", *target), 2)
