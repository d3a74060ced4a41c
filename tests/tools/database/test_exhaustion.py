"""Queries that would never end, or fill a memory, end where they should: on the server, and in time."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator

import psycopg
import pytest

from agent.executor import Executor
from tests.conftest import MakeExecutor
from tools.database.connection import Database, Limits

pytestmark = pytest.mark.anyio

ENDLESS = (
    "select count(*) from generate_series(1, 1000000000000) a, generate_series(1, 1000000000000) b",
    "with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) from r",
    "select sum(a.attnum * b.attnum * c.attnum) from pg_attribute a, pg_attribute b, pg_attribute c",
    "select md5(string_agg(md5(g::text), '')) from generate_series(1, 1000000000) g",
)
_MINE = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
MEASURE = """
import asyncio, resource, sys
from tools.database.connection import Database
from tools.database.reading import read_rows
async def main():
    database = Database(sys.argv[1], environment="sandbox")
    await read_rows(database, "select repeat('x', 1000)", limit=5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for sql in (
        "select repeat('x', 150 * 1024 * 1024)",
        "select g, repeat('y', 500) from generate_series(1, 400000) g",
        "select convert_to(repeat('z', 60 * 1024 * 1024), 'UTF8')",
        "select array[repeat('z', 60 * 1024 * 1024)]",
    ):
        rows = await read_rows(database, sql, limit=1000)
        assert rows.truncated or rows.row_count == 1
    await database.close()
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
asyncio.run(main())
"""


def active(outside: psycopg.Connection[tuple[object, ...]]) -> int:
    """Statements of other sessions that run on this database at this moment."""
    row = outside.execute(_MINE + " and state = 'active' and backend_type = 'client backend'").fetchone()
    return int(str(row[0])) if row else 0


@pytest.fixture
async def hasty(clinic_copy: str, make_executor: MakeExecutor) -> AsyncGenerator[Executor]:
    """A gate whose statements may take a third of a second."""
    executor = make_executor(clinic_copy)
    database = Database(clinic_copy, environment="sandbox", limits=Limits(connections=3, statement=0.3))
    executor.resources = executor.resources.__class__(database_or_none=database)
    yield executor
    await database.close()


@pytest.fixture
def watcher(clinic_copy: str) -> psycopg.Connection[tuple[object, ...]]:
    """A session that looks on."""
    return psycopg.connect(clinic_copy, autocommit=True)


@pytest.mark.parametrize("sql", ENDLESS)
async def test_an_endless_query_ends_on_the_server_too(
    hasty: Executor, watcher: psycopg.Connection[tuple[object, ...]], sql: str
) -> None:
    outcome = await hasty.call("execute_sql", {"sql": sql})
    assert outcome.failure is not None and outcome.failure.code == "57014", outcome
    assert active(watcher) == 0
    after = await hasty.call("execute_sql", {"sql": "select current_setting('statement_timeout')"})
    assert after.structured()["rows"] == [["300ms"]]
    watcher.close()


@pytest.mark.parametrize("tool", ["execute_sql", "explain_query"])
async def test_cancelling_a_call_ends_its_work_on_the_server(
    clinic_copy: str,
    make_executor: MakeExecutor,
    watcher: psycopg.Connection[tuple[object, ...]],
    tool: str,
) -> None:
    executor = make_executor(clinic_copy)
    more = {"analyze": True} if tool == "explain_query" else {}
    call = asyncio.create_task(executor.call(tool, {"sql": ENDLESS[0], **more}))
    while active(watcher) == 0:
        await asyncio.sleep(0.02)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    for _ in range(100):
        if active(watcher) == 0:
            break
        await asyncio.sleep(0.02)
    assert active(watcher) == 0
    again = await executor.call("execute_sql", {"sql": "select 1"})
    await executor.resources.database.close()
    watcher.close()
    assert again.failure is None


async def test_large_values_and_many_rows_stay_out_of_our_memory(clinic: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MEASURE, clinic, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert int(out) < 40, f"{int(out)} MB more than before"


async def test_large_values_are_told_with_their_true_size(gate: Executor) -> None:
    sql = (
        "select repeat('x', 300000) as t, convert_to(repeat('x', 300000), 'UTF8') as b,"
        " array_fill(7, array[90000]) as a"
    )
    outcome = await gate.call("execute_sql", {"sql": sql})
    text, octets, array = outcome.structured()["rows"][0]
    assert "300,000 bytes in all" in text
    assert octets == "<300,000 bytes>"
    assert "180,001 bytes in all" in array


async def test_cutting_large_values_changes_neither_order_nor_types(gate: Executor) -> None:
    sql = (
        "select g as n, repeat('x', g % 3) as t, null::text as nothing, row(g, 'a') as r,"
        " array[g, null] as a,"
        " '{\"k\": 1}'::jsonb as j from generate_series(9, 1, -1) g order by 1 desc"
    )
    outcome = await gate.call("execute_sql", {"sql": sql})
    result = outcome.structured()
    assert [row[0] for row in result["rows"]] == list(range(9, 0, -1))
    assert result["rows"][0] == [9, "", None, "(9,a)", "{9,NULL}", '{"k": 1}']
    assert [column["type"] for column in result["columns"]] == [
        "integer",
        "text",
        "text",
        "record",
        "integer[]",
        "jsonb",
    ]


async def test_no_more_connections_than_were_said_under_a_crowd(
    hasty: Executor, watcher: psycopg.Connection[tuple[object, ...]]
) -> None:
    calls = [asyncio.create_task(hasty.call("execute_sql", {"sql": ENDLESS[n % 2]})) for n in range(9)]
    most = 0
    while not all(call.done() for call in calls):
        row = watcher.execute(_MINE + " and backend_type = 'client backend'").fetchone()
        most = max(most, int(str(row[0])) if row else 0)
        await asyncio.sleep(0.02)
    watcher.close()
    assert 1 < most <= 3


@pytest.mark.parametrize(
    "spoiler",
    [
        "select 1 / 0",
        "select count(*) from generate_series(1, 1000000000000)",
        "select pg_advisory_lock(1)",
        "cancel",
    ],
)
async def test_a_role_and_its_claims_do_not_outlive_the_call(
    clinic_copy: str, hasty: Executor, spoiler: str
) -> None:
    claims = {"sub": "00000000-0000-0000-0000-000000000001", "role": "authenticated"}
    acting = {"sql": spoiler, "as_role": "pg_monitor", "claims": claims}
    if spoiler == "cancel":
        call = asyncio.create_task(hasty.call("execute_sql", {**acting, "sql": ENDLESS[0]}))
        await asyncio.sleep(0.1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    else:
        assert (await hasty.call("execute_sql", acting)).failure is not None
    sql = (
        "select current_user = session_user, current_setting('role'),"
        " current_setting('request.jwt.claims', true), current_setting('request.jwt.claim.sub', true)"
    )
    for _ in range(4):
        outcome = await hasty.call("execute_sql", {"sql": sql})
        same, role, claim, subject = outcome.structured()["rows"][0]
        assert (same, role, claim or "", subject or "") == (True, "none", "", "")


@pytest.mark.parametrize(
    ("role", "claims", "kind"),
    [
        ("postgres", None, "refused"),
        ("nobody_at_all", None, "not_found"),
        ('"; reset role; --', None, "not_found"),
        ("pg_monitor", {"a": "\x00"}, "invalid_input"),
        ("pg_monitor", {"a": "x" * 20_000}, "invalid_input"),
    ],
)
async def test_a_role_is_one_that_may_be_acted_as(
    gate: Executor, role: str, claims: dict[str, str] | None, kind: str
) -> None:
    more = {"claims": claims} if claims else {}
    outcome = await gate.call("execute_sql", {"sql": "select 1", "as_role": role, **more})
    assert outcome.failure is not None and outcome.failure.kind == kind, outcome.failure
