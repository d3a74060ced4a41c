"""Hidden values cannot be guessed by asking about them again and again, nor spelled out by what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from agent.executor import Executor
from tools.probing import LIMIT, Probes

pytestmark = pytest.mark.anyio


async def ask(gate: Executor, sql: str) -> dict[str, Any]:
    """The structured answer."""
    return (await gate.call("execute_sql", {"sql": sql})).structured()


async def refused(gate: Executor, sql: str) -> bool:
    """Whether the gate refuses it."""
    outcome = await gate.call("execute_sql", {"sql": sql})
    return outcome.failure is not None and outcome.failure.kind == "refused"


@pytest.mark.parametrize(
    "question",
    [
        "select count(*) from profiles where full_name like '{}%'",
        "select 1 from codes where exists (select from profiles where email < '{}')",
        "select code from codes limit (select count(*) from profiles where substr(full_name, 1, 1) = '{}')",
        "select count(*) filter (where full_name ~ '^{}') from profiles",
        "select count(case when details ->> 'nickname' > '{}' then 1 end) from profiles",
        "select status from profiles order by full_name > '{}'",
        "select label from names where label = '{}'",
        "with x as (select full_name as n from profiles) select count(*) from x where n > '{}'",
        "select count(*) from (select full_name from profiles) as x (n) where n > '{}'",
    ],
)
async def test_narrowing_questions_come_to_an_end(gate: Executor, question: str):
    answers = [await refused(gate, question.format(chr(65 + number))) for number in range(LIMIT + 1)]
    assert answers[-1], "one too many"
    assert not await refused(gate, "select count(*) from codes"), "other work goes on"
    assert not await refused(gate, "select status, count(*) from profiles group by status")


async def test_a_plan_answers_no_more_than_a_query(gate: Executor):
    told = [
        await gate.call("explain_query", {"sql": f"select 1 from profiles where full_name < '{letter}'"})
        for letter in "ABCDEFGHIJKLM"
    ]
    assert [outcome.ok for outcome in told] == [True] * LIMIT + [False]


async def test_a_date_of_birth_is_not_found_by_halving(gate: Executor):
    somebody = "'00000000-0000-0000-0000-000000000001'"
    sql = f"select count(*) from profiles where id = {somebody} and dob < '19{{}}-01-01'"
    answers = [await refused(gate, sql.format(year)) for year in range(50, 64)]
    assert answers == [False] * LIMIT + [True] * 2


async def test_honest_work_is_not_counted(gate: Executor):
    for number in range(20):
        for sql in (
            "select count(*) from profiles where full_name = 'Somebody Else'",  # the same each time
            f"select count(*) from profiles where dob > '19{40 + number % 20}-01-01'",
            f"select * from visits where id = {number}",
            f"select * from profiles where created_at > now() - interval '{number} days'",
            f"select status, state from profiles p join visits v on profile_id = p.id limit {number + 1}",
        ):
            assert not await refused(gate, sql), sql


@pytest.mark.parametrize(
    "sql",
    [
        "select code from codes where price > ascii((select min(full_name) from profiles)) - 80",
        "select c.code from codes c, profiles p where c.display = p.full_name",
        "select code from codes order by abs(price - (select score from profiles order by 1 limit 1))",
        "select c.code from codes c join profiles p on ascii(p.full_name) > c.price",
        "select c.code from codes c natural join (select full_name as display from profiles) x",
        "select c.code from codes c join (select full_name as display from profiles) x using (display)",
        "select code from codes where display in (select full_name from profiles)",
    ],
)
async def test_what_is_held_against_a_hidden_value_is_hidden(gate: Executor, sql: str):
    told = await ask(gate, sql)
    assert "error" in told or not told["columns"][0]["shown"]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 from profiles p, generate_series(1, ascii(p.full_name))",
        "select code from codes limit (select ascii(full_name) from profiles limit 1)",
        "select repeat('x', score) from profiles",
    ],
)
async def test_no_hidden_value_decides_how_many_rows_come(gate: Executor, sql: str):
    assert await refused(gate, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select full_name from profiles union all select 'Quill Person1'",
        "select full_name from profiles union all values ('Quill Person1')",
        "select coalesce(nullif(full_name, full_name), 'Quill Person1') from profiles",
        "select case when full_name = 'Quill Person1' then 1 else 2 end from profiles",
        "select full_name = x.n from profiles, (values ('Quill Person1')) as x (n)",
        "select unnest(array[full_name, 'Quill Person1']) from profiles",
    ],
)
async def test_a_guess_beside_stored_values_is_not_answered_by_equal_pseudonyms(gate: Executor, sql: str):
    told = await ask(gate, sql)
    assert {row[0].split(":")[1] for row in told["rows"]} == {"hidden>"}


async def test_computed_values_are_equal_within_one_query_only(gate: Executor):
    first = await ask(gate, "select lower(upper(full_name)) from profiles")
    again = await ask(gate, "select lower(full_name) from profiles")
    assert len({row[0] for row in first["rows"]}) == 40
    assert not {row[0] for row in first["rows"]} & {row[0] for row in again["rows"]}


async def test_a_count_that_tells_of_a_few_by_difference_is_hidden(gate: Executor):
    everybody = await ask(gate, "select count(*) from profiles")
    but_one = await ask(gate, "select count(*) from profiles where full_name <> 'Quill Person1'")
    assert everybody["rows"] == [[40]] and but_one["rows"] == [["<number:hidden>"]]


def test_without_a_limit_nothing_is_counted():
    probes = Probes(None)
    assert all(probes.admit("t", str(number)) for number in range(100))
    assert not probes.exhausted("t") and not probes.reveals("t", 5)
