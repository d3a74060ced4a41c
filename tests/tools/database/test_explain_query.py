"""explain_query: plans of anything, measurements of reading statements only."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from agent.executor import Executor

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sql": "select * from profiles where email = 'x@example.org'"}, "Seq Scan on public.profiles"),
        ({"sql": "select count(*) from visits", "analyze": True}, "actual"),
        ({"sql": "delete from visits where id = 3"}, "Delete"),
        ({"sql": "insert into codes values ('a', 'b') on conflict do nothing"}, "Insert"),
        ({"sql": "update visits set remark = upper(remark)"}, "Update"),
        ({"sql": "select nextval('ticket')"}, "Result"),
        ({"sql": "select bump()"}, "Result"),
        ({"sql": "select * from codes order by price", "analyze": True}, "Sort"),
    ],
)
async def test_a_plan_is_shown_and_nothing_is_changed(
    gate: Executor, outside: psycopg.Connection[Any], arguments: dict[str, Any], words: str
) -> None:
    state = "select (select count(*) from visits), (select last_value from ticket), (select n from touched)"
    before = outside.execute(state).fetchone()
    outcome = await gate.call("explain_query", arguments)
    assert outcome.failure is None, outcome.failure
    assert words in outcome.structured()["plan"]
    assert (outcome.structured()["execution_ms"] is not None) == bool(arguments.get("analyze"))
    assert outside.execute(state).fetchone() == before


@pytest.mark.parametrize(
    "arguments",
    [
        {"sql": "delete from visits", "analyze": True},
        {"sql": "with d as (delete from visits returning *) select * from d", "analyze": True},
        {"sql": "select bump()", "analyze": True},
        {"sql": "select nextval('ticket')", "analyze": True},
        {"sql": "select * from codes for update", "analyze": True},
        {"sql": "select stable_bump()"},
        {"sql": "select * from touched where n = stable_bump()"},
        {"sql": "select dynamic('delete from visits')"},
        {"sql": "select * from pg_stats"},
        {"sql": "explain select 1"},
        {"sql": "vacuum"},
        {"sql": "select 1; delete from visits"},
        {"sql": "create table x as select 1", "analyze": True},
    ],
)
async def test_what_would_change_something_is_refused(
    gate: Executor, outside: psycopg.Connection[Any], arguments: dict[str, Any]
) -> None:
    outcome = await gate.call("explain_query", arguments)
    assert outcome.failure is not None
    assert outside.execute("select count(*) from visits").fetchone() == (40,)


async def test_a_role_brings_its_policies_into_the_plan(gate: Executor) -> None:
    arguments = {"sql": "select * from profiles"}
    owner = await gate.call("explain_query", arguments)
    role = await gate.call(
        "explain_query", {**arguments, "as_role": "pg_read_all_data", "claims": {"sub": ""}}
    )
    assert "request.jwt" not in owner.structured()["plan"]
    assert "Filter" in role.structured()["plan"]


async def test_literals_that_the_caller_did_not_write_are_left_out(gate: Executor) -> None:
    outcome = await gate.call(
        "explain_query", {"sql": "select * from profiles where status = lower('ACT' || 'IVE')"}
    )
    assert "active" not in outcome.structured()["plan"]
    own = await gate.call("explain_query", {"sql": "select * from profiles where status = 'active'"})
    assert "'active'" in own.structured()["plan"]


async def test_rows_of_persons_are_counted_roughly(gate: Executor) -> None:
    few = await gate.call(
        "explain_query", {"sql": "select * from profiles where score < 700105", "analyze": True}
    )
    assert "rows <11" in few.structured()["plan"]
    codes = await gate.call("explain_query", {"sql": "select * from codes", "analyze": True})
    assert "rows 3" in codes.structured()["plan"]
