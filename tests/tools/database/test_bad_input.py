"""Wrong arguments and broken statements: one sentence that says what to mend."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.executor import Executor
from tests.conftest import MakeExecutor
from tools.database.faults import condition
from tools.database.sqltext import parse_one, parse_script
from tools.errors import InvalidInput, SergeiError

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select 'a\0b'", "NUL byte"),
        ("select '\ud800'", "not valid Unicode"),
        ("", "no statement"),
        ("-- nothing here", "no statement"),
        (";;", "no statement"),
        ("select 1; select 2", "2 statements"),
        ("selec 1", 'line 1, column 1: Syntax error at or near "selec"'),
        ("select 1,\n  frm codes where", "line 2, column"),
        ("select 'ü', frm frm frm", "line 1, column 20"),
        ("select 'unterminated", "Unterminated quoted string"),
        ("select $1", "$1 stands for a parameter"),
        ("x" * 600_000, "longer than"),
        ("select " + "1+" * 40_000 + "1", "chains or nests"),
        ("select 1" + " union select 1" * 20_000, "chains or nests"),
        ("select " + "(" * 40_000 + "1" + ")" * 40_000, "chains or nests"),
        ("select * from t" + " join t on true" * 20_000, "chains or nests"),
        ("explain select 1", "does not run EXPLAIN"),
        ("select nme from profiles", "nme"),
        ("select 1 / 0", "division by zero"),
        ("select 'x'::int", "character 8"),
    ],
)
async def test_a_bad_statement_is_one_sentence(gate: Executor, sql: str, words: str) -> None:
    outcome = await gate.call("execute_sql", {"sql": sql})
    assert outcome.failure is not None
    assert outcome.failure.kind in {"invalid_input", "not_found", "refused"}
    assert words in outcome.failure.message
    assert "Traceback" not in outcome.markdown()


@pytest.mark.parametrize(
    ("sql", "near"),
    [("select * from profils", "public.profiles"), ("select * from public.visit", "public.visits")],
)
async def test_an_unknown_table_is_answered_with_the_nearest(gate: Executor, sql: str, near: str) -> None:
    outcome = await gate.call("execute_sql", {"sql": sql})
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.code) == ("not_found", "42P01")
    assert near in outcome.failure.hint


async def test_a_misspelt_column_gets_the_servers_own_suggestion(gate: Executor) -> None:
    outcome = await gate.call("execute_sql", {"sql": "select full_nam from profiles"})
    assert outcome.failure is not None
    assert "profiles.full_name" in outcome.failure.hint


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("describe_table", {"table": "a\0b"}),
        ("describe_table", {"table": "\ud800"}),
        ("describe_table", {"table": ""}),
        ("describe_table", {"table": "x" * 100}),
        ("list_tables", {"schemas": ["a\0b"]}),
        ("list_tables", {"schemas": "public"}),
        ("list_functions", {"name_like": "a\0"}),
        ("execute_sql", {"sql": "select 1", "max_rows": 0}),
        ("execute_sql", {"sql": "select 1", "max_rows": 5000}),
        ("execute_sql", {"sql": "select 1", "as_role": "a\0b"}),
        ("execute_sql", {"sql": "select 1", "claims": {"sub": "a\0b"}}),
        ("execute_sql", {"sql": "select 1", "as_role": ""}),
        ("execute_sql", {"query": "select 1"}),
        ("explain_query", {"sql": "a\0b"}),
        ("change_sql", {"sql": "\ud800"}),
    ],
)
async def test_a_bad_argument_is_invalid_input(
    gate: Executor, tool: str, arguments: dict[str, object]
) -> None:
    outcome = await gate.call(tool, arguments)
    assert outcome.failure is not None
    assert outcome.failure.kind in {"invalid_input", "not_found"}, outcome.failure
    assert "defect" not in outcome.failure.message


async def test_without_a_database_the_sentence_says_how_to_connect_one(make_executor: MakeExecutor) -> None:
    outcome = await make_executor(None).call("list_tables", {})
    assert outcome.failure is not None
    assert outcome.failure.kind == "configuration"
    assert "--database-url" in outcome.failure.hint


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200))
def test_any_text_parses_or_is_refused_in_words(text: str) -> None:
    try:
        pieces = parse_script(text)
    except SergeiError as error:
        assert isinstance(error, InvalidInput)
    else:
        assert all(piece.text for piece in pieces)


def test_a_statement_keeps_its_text_without_the_semicolon() -> None:
    assert parse_one("  select 'ü;' ; ").text == "select 'ü;'"
    assert [piece.text for piece in parse_script("select 1; /* c */ select 'é'; ")] == [
        "select 1",
        "select 'é'",
    ]


@pytest.mark.parametrize(
    ("code", "words"),
    [("22P02", "invalid text representation"), ("23505", "unique violation"), ("ZZZZZ", "error ZZZZZ")],
)
def test_sqlstates_in_words(code: str, words: str) -> None:
    assert condition(code) == words
