"""The gate in front of a real database: what is on record, and what a yes is bound to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.approvals import Answer, Decision, Request
from agent.executor import Executor
from agent.patterns import Pattern
from tests.conftest import MakeExecutor

pytestmark = pytest.mark.anyio


async def yes(request: Request) -> Decision:
    return Decision(Answer.ONCE, by="person")


def last(executor: Executor) -> dict[str, Any]:
    return list(executor.audit.records())[-1]


async def closing(executor: Executor) -> None:
    await executor.resources.database.close()


async def test_rows_and_patients_columns_are_on_record_by_their_real_names(
    guardian: str, make_executor: MakeExecutor
):
    executor = make_executor(guardian)
    sql = 'select family_name as "Jane Roe", id from public.profiles limit 3'
    assert (await executor.call("execute_sql", {"sql": sql})).ok
    record = last(executor)
    assert record["rows"] == 3 and "public.profiles.family_name" in record["phi_columns"]
    assert "Jane" not in executor.audit.path.read_text()
    await closing(executor)


async def test_a_change_has_its_rows_tables_and_login_on_record(
    plain_database: str, make_executor: MakeExecutor
):
    executor = make_executor(plain_database, asker=yes)
    for sql in ("create table t (a int)", "insert into t select generate_series(1, 7)"):
        outcome = await executor.call("change_sql", {"sql": sql})
        assert outcome.ok, outcome.markdown()
    record = last(executor)
    assert (record["rows"], record["decision"], record["by"]) == (7, "once", "person")
    assert record["tables"] == ["public.t"] and "@sandbox" in record["target"] and " as " in record["target"]
    await closing(executor)


async def test_what_sql_touches_can_be_approved_beforehand(plain_database: str, make_executor: MakeExecutor):
    executor = make_executor(plain_database, asker=yes)
    await executor.call("change_sql", {"sql": "create table public.t (a int, b int)"})
    executor.approvals.asker = None
    executor.approvals.patterns = (
        Pattern(
            name="indexes",
            tool="change_sql",
            target="*@sandbox *",
            environment="sandbox",
            touches=("CREATE INDEX on public.*",),
            expires=datetime.now(UTC).date() + timedelta(days=1),
            reason="indexes are cheap here",
        ),
    )
    assert (await executor.call("change_sql", {"sql": "create index on public.t (a)"})).ok
    assert last(executor)["pattern"] == "indexes"
    for sql in ("create index on public.t (b); delete from public.t where a = 1", "drop table public.t"):
        outcome = await executor.call("change_sql", {"sql": sql})
        assert outcome.failure and outcome.failure.kind == "refused"
    await closing(executor)


async def test_a_definition_that_moves_while_somebody_reads_stops_the_change(
    plain_database: str, make_executor: MakeExecutor
):
    """The way back that was shown would no longer be the way back."""
    executor = make_executor(plain_database, asker=yes)
    made = await executor.call("change_sql", {"sql": "create view v as select 1 as a"})
    assert made.ok, made.markdown()

    async def slow(request: Request) -> Decision:
        executor.approvals.asker = yes
        await executor.call("change_sql", {"sql": "create or replace view v as select 2 as a"})
        return Decision(Answer.ONCE, by="person")

    outcome = await executor.call(
        "change_sql", {"sql": "create or replace view v as select 3 as a"}, asker=slow
    )
    assert outcome.failure and outcome.failure.kind == "conflict"
    rows = await executor.resources.database.fetch("select a from public.v")
    assert rows == [{"a": 2}]
    await closing(executor)
