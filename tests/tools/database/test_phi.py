"""No value of a person leaves: not in rows, not wrapped, not in an error, a plan or a notice."""

from __future__ import annotations

import json
import re

import psycopg
import pytest

from agent.executor import Executor, Outcome
from tests.conftest import MakeExecutor
from tests.tools.database.conftest import PLANTED
from tools.database.linkage import Attribute, Table, link
from tools.database.phi import Verdict, attribute_verdict, suppress
from tools.database.rows import Column, Raw, Rows
from tools.redaction import Redactor

pytestmark = pytest.mark.anyio

LEAKY = (
    "select * from profiles",
    "select full_name as code from profiles",
    "select p.* from profiles p join visits v on v.profile_id = p.id",
    "select full_name || '' from profiles",
    "select upper(full_name), left(email, 3), substr(full_name, 1, 5) from profiles",
    "select profiles from profiles",
    "select (profiles).full_name from profiles",
    "select to_jsonb(p) from profiles p",
    "select row_to_json(p), p::text from profiles p",
    "select json_agg(full_name), string_agg(email, ','), array_agg(dob) from profiles",
    "select min(full_name), max(dob), mode() within group (order by email) from profiles",
    "select percentile_disc(0.5) within group (order by score), avg(score), sum(score) from profiles",
    "select xmlelement(name x, full_name), xmlforest(email) from profiles",
    "select full_name from (select full_name from profiles) x",
    "with x as (select full_name as label from profiles) select label from x",
    "with recursive x as (select full_name from profiles) select * from x",
    "select full_name from profiles union all select 'x'",
    "select 'x' union all select full_name from profiles",
    "select label, loud from names",
    "select label from names_again",
    "select full_name from roster",
    "select l.n from codes c, lateral (select full_name as n from profiles) l",
    "select (select full_name from profiles order by 1 limit 1)",
    "select first_name()",
    "select case when full_name like 'Q%' then full_name else email end from profiles",
    "select coalesce(full_name, ''), nullif(email, ''), greatest(full_name, 'A') from profiles",
    "select first_value(full_name) over (order by dob), lag(dob) over () from profiles",
    "select remark, happened_on from visits",
    (
        "select details, details ->> 'nickname', tags, tags[1], unnest(tags), photo, encode(photo,"
        " 'escape') from profiles"
    ),
    "select * from jsonb_each_text((select details from profiles limit 1))",
    "select key, value from profiles, jsonb_each(details)",
    "select score, score + 0, ascii(substr(full_name, 1, 1)) from profiles",
    "select array(select full_name from profiles), row(full_name) from profiles",
    "select regexp_split_to_table(full_name, ' ') from profiles",
    "select query from pg_stat_activity",
    "select to_char(dob, 'YYYY-MM'), dob::text, extract(year from dob) * 100 + 7 from profiles",
    "select format('%s', full_name), quote_literal(email), md5(full_name) from profiles",
    "select * from profiles tablesample system (100)",
    "select distinct on (status) status, full_name from profiles",
    "select full_name::int from profiles",
    "select full_name::regclass from profiles",
    "select email::regrole from profiles",
    "select ('{' || full_name)::json from profiles",
    "select full_name::xml from profiles",
    "select 1 / (score - 700101) from profiles",
    "select to_number(full_name, '9'), full_name::date from profiles",
    "select current_setting(full_name) from profiles",
    "select now() at time zone full_name from profiles",
    "select 'a' ~ ('(' || full_name) from profiles",
    "select whisper()",
    "select complain()",
    "select has_table_privilege(full_name, 'codes', 'select') from profiles",
    "select jsonb_path_query(details, ('$.' || full_name)::jsonpath) from profiles",
)


def everything(outcome: Outcome) -> str:
    """All that leaves the gate; without random marks and durations, which may hold any digits by chance."""
    told = [outcome.markdown(), outcome.fenced(), json.dumps(outcome.structured())]
    told += [repr(outcome.result), repr(outcome.failure)]
    plain = re.sub(r"(<[a-z-]+:|\bid=|fence )[0-9a-f]{8,12}", r"\1", "\n".join(told))
    return re.sub(r"\d[\d.,]* ms", "", plain)


@pytest.mark.parametrize("sql", LEAKY)
async def test_no_planted_value_leaves_execute_sql(gate: Executor, sql: str) -> None:
    told = everything(await gate.call("execute_sql", {"sql": sql}))
    assert not [piece for piece in PLANTED if piece.lower() in told.lower()]


@pytest.mark.parametrize("sql", LEAKY)
async def test_no_planted_value_leaves_a_measured_plan(gate: Executor, sql: str) -> None:
    told = everything(await gate.call("explain_query", {"sql": sql, "analyze": True}))
    assert not [piece for piece in PLANTED if piece.lower() in told.lower()]


async def test_safe_columns_of_a_person_stay_readable(gate: Executor) -> None:
    outcome = await gate.call("execute_sql", {"sql": "select * from profiles order by created_at limit 1"})
    shown = {column["name"] for column in outcome.structured()["columns"] if column["shown"]}
    assert shown == {"is_minor", "status", "created_at"}
    visit = await gate.call("execute_sql", {"sql": "select * from visits limit 1"})
    assert {c["name"] for c in visit.structured()["columns"] if c["shown"]} == {"code", "state"}


async def test_equal_values_have_equal_pseudonyms_and_a_kind(gate: Executor) -> None:
    sql = (
        "select p.id, v.profile_id, p.full_name, p.email, p.dob from profiles p join visits v on"
        " v.profile_id = p.id"
    )
    outcome = await gate.call("execute_sql", {"sql": sql, "max_rows": 5})
    for row in outcome.structured()["rows"]:
        assert row[0] == row[1]
        assert [cell.partition(":")[0] for cell in row] == ["<id", "<id", "<name", "<email", "<date"]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select count(*) from profiles", 40),
        ("select count(*) from profiles where full_name = 'Nobody'", 0),
        ("select count(*) from profiles where score < 700105", "<11"),
        ("select (select count(*) from profiles where score < 700105)", "<11"),
        ("select count(*) from codes", 3),
    ],
)
async def test_small_counts_of_persons_are_not_told(gate: Executor, sql: str, told: object) -> None:
    outcome = await gate.call("execute_sql", {"sql": sql})
    assert outcome.structured()["rows"] == [[told]]


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from profiles p, generate_series(1, ascii(p.full_name)) where p.score = 700101",
        (
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 81) select count(*)"
            " from n, profiles"
        ),
        "select count(*) + ascii(min(full_name)) from profiles",
        (
            "select count(*) from (select 1 from visits a, visits b"
            " limit (select ascii(full_name) from profiles order by 1 desc limit 1)) x"
        ),
    ],
)
async def test_a_count_that_could_spell_a_value_is_masked(gate: Executor, sql: str) -> None:
    outcome = await gate.call("execute_sql", {"sql": sql})
    told = outcome.structured()
    assert "error" in told or str(told["rows"][0][0]).startswith("<number:")


async def test_a_view_whose_tables_the_login_may_not_read_is_masked(
    clinic_copy: str, make_executor: MakeExecutor
) -> None:
    role = "sergei_test_view_reader"
    with psycopg.connect(clinic_copy, autocommit=True) as connection:
        create = f"do $$ begin create role {role} login; exception when duplicate_object then null; end $$"
        connection.execute(create.encode())
        connection.execute(
            f"grant select on public.names, public.roster, public.code_list to {role}".encode()
        )
    gate = make_executor(clinic_copy.replace("user=postgres", f"user={role}"))
    statements = ("table names", "table roster", "table code_list", "select code from codes")
    told = [await gate.call("execute_sql", {"sql": sql}) for sql in statements]
    await gate.resources.database.close()
    assert [outcome.ok for outcome in told] == [True, True, True, False]
    assert told[2].structured()["rows"][0] == ["E11", "Type 2 diabetes"]
    assert not [piece for piece in PLANTED for outcome in told if piece in everything(outcome)]


async def test_phi_off_shows_values_but_never_secrets(clinic: str, make_executor: MakeExecutor) -> None:
    executor = make_executor(clinic, strict=False)
    outcome = await executor.call(
        "execute_sql", {"sql": "select full_name, dob from profiles order by full_name limit 1"}
    )
    await executor.resources.database.close()
    assert outcome.structured()["rows"] == [["Quill Person1", "1961-07-24"]]


def test_rows_cannot_be_serialised_before_they_are_redacted() -> None:
    column = Column(name="full_name", type="text", shown=False, why="x")
    rows = Rows.sealed([column], [Verdict(False, "name", "x")], [(Raw(b"Quill", 5),)])
    for told in (rows.model_dump_json(), repr(rows), str(rows), rows.markdown(), str(rows.model_dump())):
        assert "Quill" not in told
    redacted = rows.redacted(Redactor())
    assert redacted.rows[0][0] == redacted.rows[0][0] and str(redacted.rows[0][0]).startswith("<name:")
    assert "Quill" not in repr(vars(redacted)) + repr(redacted.__pydantic_private__)


def test_an_unknown_column_of_a_person_is_masked_and_reference_data_is_not() -> None:
    person = table(1, "people", parents=(), columns=["id", "favourite_colour"])
    child = table(2, "zzz", parents=(1,), columns=["id", "whatever"])
    reference = table(3, "units", parents=(), columns=["code", "label"])
    linkage = link([person, child, reference])
    assert [linkage.reason(oid) is not None for oid in (1, 2, 3)] == [True, True, False]
    assert not attribute_verdict(person.columns[2], linkage).shown
    assert not attribute_verdict(child.columns[2], linkage).shown
    assert attribute_verdict(reference.columns[2], linkage).shown


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, "<11"), (10, "<11"), (11, 11), (5000, 5000)])
def test_suppression_of_small_cells(count: int, told: object) -> None:
    assert suppress(count) == told


def table(oid: int, name: str, *, parents: tuple[int, ...], columns: list[str]) -> Table:
    """A table with text columns."""
    made = {
        number: Attribute(oid, number, column, "text", "b", "S", number == 1, None, False)
        for number, column in enumerate(columns, 1)
    }
    return Table(oid, "public", name, "r", parents, made)
