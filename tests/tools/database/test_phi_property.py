"""Whatever is asked, in whatever schema: no planted person's value leaves the gate."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

from agent.executor import Executor, Outcome
from tests.conftest import MakeExecutor
from tools.sandbox.guardian.generate import planted_values

pytestmark = pytest.mark.anyio

GUARDIAN = {
    "profiles": ("given_name", "family_name", "preferred_name", "emergency_note", "birth_date"),
    "accounts": ("display_name", "email", "phone"),
    "profile_contacts": ("name", "phone", "address_line", "email"),
    "profile_identifiers": ("value", "system", "issuer"),
    "clinical_events": ("note", "display", "value_text"),
    "document_pages": ("ocr_text",),
    "conditions": ("note", "display"),
}
SHAPES = (
    "select {c} from {t}",
    "select * from {t}",
    "select x.{c} as code from (select {c} from {t}) x",
    "with w as (select {c} as n from {t}) select n from w",
    "select {c}::text || '' from {t}",
    "select to_jsonb(t) from {t} t",
    "select json_agg({c}) from {t}",
    "select xmlagg(xmlelement(name x, {c}::text)) from {t}",
    "select max({c}::text), array_agg({c}) from {t}",
    "select {c} from {t} union all select null",
    "select l.v from {t} t, lateral (select t.{c} as v) l",
    "select first_value({c}) over (order by {c}) from {t}",
    "select {c}::text::int from {t}",
    "select {c}::text::regclass from {t}",
    "select jsonb_object_agg(coalesce({c}::text, ''), 1) from {t}",
    "select format('%s', {c}), left({c}::text, 9), reverse({c}::text) from {t}",
    "select distinct on ({c}) {c} from {t} order by {c} desc",
    "select 1 from {t} group by {c} having max({c}::text)::int > 0",
)


@pytest.fixture
async def demo_gate(guardian: str, make_executor: MakeExecutor) -> AsyncGenerator[Executor]:
    executor = make_executor(guardian)
    yield executor
    await executor.resources.database.close()


def everything(outcome: Outcome) -> str:
    """All that leaves the gate."""
    return "\n".join(
        [outcome.markdown(), json.dumps(outcome.structured(), ensure_ascii=False), repr(outcome)]
    )


async def test_no_planted_value_of_the_demo_leaves(demo_gate: Executor, guardian: str, tmp_path: Path):
    planted = planted_values(guardian)
    told: list[str] = []
    for number, shape in enumerate(SHAPES):
        for table, columns in GUARDIAN.items():
            sql = shape.format(t=table, c=columns[number % len(columns)])
            told.append(everything(await demo_gate.call("execute_sql", {"sql": sql, "max_rows": 1000})))
            if number % 6 == 0:
                plan = {"sql": sql, "analyze": True}
                told.append(everything(await demo_gate.call("explain_query", plan)))
    for name, arguments in (
        ("list_activity", {}), ("phi_inventory", {"profile": True}), ("list_functions", {}),
        ("describe_table", {"table": "profiles"}),
    ):  # fmt: skip
        told.append(everything(await demo_gate.call(name, arguments)))
    told.append((tmp_path / "audit.jsonl").read_text(encoding="utf-8"))
    whole = "\n".join(told)
    assert len(planted) > 100
    assert [value for value in planted if value in whole] == []


NAMES = "patient imie name code status label data wert note x1 value kind title body ref titel nombre ort"
WORDS = st.sampled_from(NAMES.split(" "))
TYPES = st.sampled_from(["text", "varchar(40)", "jsonb", "text[]", "bytea", "char(30)"])
VALUES = {
    "jsonb": "jsonb_build_object('a', jsonb_build_array({v}))",
    "text[]": "array[{v}]",
    "bytea": "convert_to({v}, 'UTF8')",
}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(table="pacjenci", columns={"name": "text", "code": "text"}, shape="select {c} from {t}")
@given(
    table=st.sampled_from(["pacjenci", "t1", "zz_notes", "people", "dane", "member_list"]),
    columns=st.dictionaries(WORDS, TYPES, min_size=2, max_size=6),
    shape=st.sampled_from(SHAPES),
)
async def test_no_value_of_a_table_that_was_never_seen_leaves(
    demo_gate: Executor, guardian: str, table: str, columns: dict[str, str], shape: str
):
    with psycopg.connect(guardian, autocommit=True) as connection:
        made = SQL(", ").join(
            SQL("{} " + kind).format(Identifier(name))  # pyright: ignore[reportArgumentType]  one of ours
            for name, kind in columns.items()
        )
        connection.execute(SQL("drop table if exists {}").format(Identifier(table)))
        connection.execute(SQL("create table {} ({})").format(Identifier(table), made))
        filled = SQL(", ").join(
            SQL(VALUES.get(kind, "{v}").replace("{v}", "'Quillian Planted'"))  # pyright: ignore[reportArgumentType]  same
            for kind in columns.values()
        )
        connection.execute(SQL("insert into {} select {}").format(Identifier(table), filled))
    sql = shape.format(t=f'"{table}"', c=f'"{next(iter(columns))}"')
    outcome = await demo_gate.call("execute_sql", {"sql": sql})
    told = everything(outcome)
    assert "Quillian" not in told and "Planted" not in told and "nailliuQ" not in told


@pytest.mark.parametrize("order", ["full_name", "1", "upper(full_name) desc"])
async def test_the_order_of_rows_tells_nothing_of_a_hidden_value(
    clinic: str, make_executor: MakeExecutor, order: str
):
    executor = make_executor(clinic)
    asked = {"sql": f"select full_name, id from profiles order by {order}"}
    seen = [str((await executor.call("execute_sql", asked)).structured()["rows"]) for _ in range(4)]
    plain = {"sql": "select id, created_at from profiles order by created_at, id"}
    kept = [str((await executor.call("execute_sql", plain)).structured()["rows"]) for _ in range(2)]
    await executor.resources.database.close()
    assert len(set(seen)) > 1 and len(set(kept)) == 1
