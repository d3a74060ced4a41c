"""change_sql runs where it was shown, leaves nothing behind when it only tries, and says what follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from agent.approvals import Answer, Decision, Mode, Request
from agent.executor import Outcome
from tests.conftest import MakeExecutor
from tools.database.anchor import named
from tools.database.target import Target
from tools.registry import Effect, Preview

pytestmark = pytest.mark.anyio


async def call(
    make_executor: MakeExecutor,
    dsn: str,
    arguments: dict[str, Any] | str,
    *,
    yes: bool = False,
    meanwhile: Callable[[], None] = lambda: None,
    environment: str = "sandbox",
) -> tuple[Outcome, list[Request]]:
    """The outcome, and what was asked. `meanwhile` happens while the person thinks."""
    asked: list[Request] = []

    async def person(request: Request) -> Decision:
        asked.append(request)
        meanwhile()
        return Decision(Answer.ONCE if yes else Answer.DENY, by="test")

    executor = make_executor(dsn, mode=Mode.ACT, asker=person, environment=environment)
    given = {"sql": arguments} if isinstance(arguments, str) else arguments
    outcome = await executor.call("change_sql", given)
    await executor.resources.database.close()
    return outcome, asked


async def shown(make_executor: MakeExecutor, dsn: str, sql: str) -> Preview:
    """What a person sees before they say no."""
    _, asked = await call(make_executor, dsn, sql)
    return asked[0].preview


def execute(dsn: str, *statements: str) -> Any:
    """Run statements from outside; the first value of the last one."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = None
        for statement in statements:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


async def test_an_index_is_built_concurrently_in_a_call_of_its_own(
    clinic_copy: str, make_executor: MakeExecutor
) -> None:
    sql = "create index concurrently on visits (code)"
    outcome, asked = await call(make_executor, clinic_copy, sql, yes=True)
    assert outcome.failure is None, outcome.failure
    assert asked[0].preview.evidence.startswith("No dry run: CONCURRENTLY runs outside a transaction")
    assert "OUTSIDE a transaction" in asked[0].preview.touches[0]
    assert "SHARE UPDATE EXCLUSIVE on visits" in asked[0].preview.touches[0]
    valid = "select indisvalid from pg_index where indexrelid = 'visits_code_idx'::regclass"
    assert execute(clinic_copy, valid) is True
    assert asked[0].preview.undo == "DROP INDEX CONCURRENTLY public.visits_code_idx;"
    again, _ = await call(make_executor, clinic_copy, "reindex index concurrently visits_code_idx", yes=True)
    back, _ = await call(make_executor, clinic_copy, asked[0].preview.undo, yes=True)
    assert (again.failure, back.failure) == (None, None)
    assert execute(clinic_copy, "select to_regclass('visits_code_idx')") is None


async def test_a_failed_concurrent_build_names_the_invalid_index_and_its_drop(
    clinic_copy: str, make_executor: MakeExecutor
) -> None:
    sql = "create unique index concurrently one_status on profiles (status)"
    outcome, _ = await call(make_executor, clinic_copy, sql, yes=True)
    assert outcome.failure is not None
    assert "INVALID index public.one_status" in outcome.failure.message
    assert "active" not in outcome.markdown()
    drop = "DROP INDEX CONCURRENTLY public.one_status;"
    assert outcome.failure.hint.endswith(drop)
    cleaned, _ = await call(make_executor, clinic_copy, drop, yes=True)
    assert cleaned.failure is None
    assert execute(clinic_copy, "select count(*) from pg_index where not indisvalid") == 0


async def test_another_database_under_the_same_name_is_not_changed(
    clinic_copy: str, make_executor: MakeExecutor
) -> None:
    name = str(conninfo_to_dict(clinic_copy)["dbname"])
    admin = make_conninfo(clinic_copy, dbname="postgres")

    def swap() -> None:
        execute(
            admin,
            f"alter database {name} rename to {name}_moved",
            f"create database {name} template {name}_moved",
            f"drop database {name}_moved with (force)",
        )

    def free_and_swap() -> None:
        execute(admin, f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
        swap()

    outcome, asked = await call(
        make_executor, clinic_copy, "update codes set price = 0", yes=True, meanwhile=free_and_swap
    )
    assert len(asked) == 1
    assert outcome.failure is not None and outcome.failure.kind == "conflict"
    assert "another database of the same name" in outcome.failure.message
    assert execute(clinic_copy, "select sum(price) from codes") == 21.5


async def test_an_expectation_of_another_target_is_refused_before_anybody_is_asked(
    clinic: str, make_executor: MakeExecutor
) -> None:
    wrong = {"sql": "delete from codes", "expect_target": "guardian"}
    outcome, asked = await call(make_executor, clinic, wrong, yes=True)
    assert asked == [] and outcome.failure is not None and outcome.failure.kind == "refused"
    assert "expect_target" in outcome.failure.message
    right = {"sql": "delete from codes", "expect_target": str(conninfo_to_dict(clinic)["dbname"])}
    assert len((await call(make_executor, clinic, right))[1]) == 1


async def test_a_production_target_stands_out(clinic: str, make_executor: MakeExecutor) -> None:
    _, asked = await call(make_executor, clinic, "update codes set price = 1", environment="production")
    assert asked[0].preview.target.startswith("PRODUCTION: ")
    far = Target(host="db.example.org", port=5432, database="g", user="u")
    assert "treat it as PRODUCTION" in named(far, "u")
    assert "PRODUCTION" not in named(far.model_copy(update={"environment": "staging"}), "u")


async def test_a_dry_run_says_which_sequence_it_moved(clinic_copy: str, make_executor: MakeExecutor) -> None:
    sql = "insert into visits (profile_id) select id from profiles limit 3"
    before = execute(clinic_copy, "select last_value from visits_id_seq")
    preview = await shown(make_executor, clinic_copy, sql)
    assert "INSERT affects 3 rows" in preview.evidence
    assert "visits_id_seq: a gap stays" in preview.evidence
    assert execute(clinic_copy, "select last_value from visits_id_seq") == before + 3
    assert execute(clinic_copy, "select count(*) from visits") == 40


async def test_reaching_every_row_is_noticed_by_counting(clinic: str, make_executor: MakeExecutor) -> None:
    _, asked = await call(make_executor, clinic, "update codes set price = 1 where code is not null")
    assert "ALL that codes has" in asked[0].preview.evidence
    assert "Every row of codes is reached" in asked[0].preview.consequence
    assert asked[0].effect is Effect.DESTRUCTIVE


async def test_a_yes_to_every_row_is_a_yes(clinic_copy: str, make_executor: MakeExecutor) -> None:
    outcome, _ = await call(
        make_executor, clinic_copy, "update codes set price = 1 where code > ''", yes=True
    )
    assert outcome.failure is None


async def test_cascade_is_spelled_out(clinic: str, make_executor: MakeExecutor) -> None:
    preview = await shown(make_executor, clinic, "drop table profiles cascade")
    said = preview.consequence
    assert "about 40 rows" in preview.evidence
    for gone in ("view names;", "view names_again", "materialized view roster", "visits_profile_id_fkey"):
        assert gone in said
    schema = (await shown(make_executor, clinic, "drop schema staff_only cascade")).consequence
    assert "function staff_only.definer(integer)" in schema


@pytest.mark.parametrize(
    ("setup", "sql", "words"),
    [
        (
            (
                "create function out2() returns trigger language plpgsql as"
                " $$ begin perform lo_import('/etc/hostname'); return null; end $$;"
                "create trigger t2 after update on touched for each row execute function out2()"
            ),
            "delete from visits where id = 1",
            "a trigger runs lo_import()",
        ),
        (
            (
                "create function outward() returns int language plpgsql as"
                " $$ begin perform lo_create(0); return 1; end $$;"
                "alter table touched add column x int default outward()"
            ),
            "insert into touched values (1)",
            "default, check, policy or trigger of its tables calls public.outward(), which is VOLATILE",
        ),
        (
            (
                "create function out3() returns trigger language plpgsql as"
                " $$ begin perform lo_import('/etc/hostname'); return null; end $$;"
                "create trigger t3 after update on codes for each row execute function out3()"
            ),
            "update code_list set display = 'x' where code = 'E11'",
            "a trigger runs lo_import()",
        ),
        (
            (
                "create function ev() returns event_trigger language plpgsql as"
                " $$ begin execute 'select 1'; end $$; create event trigger watch on ddl_command_end"
                " execute function ev()"
            ),
            "alter table codes alter price set default 4",
            "an event trigger runs public.ev(), which builds SQL at run time",
        ),
        ("create rule r as on delete to touched do also notify gone", "delete from touched", "has a rule"),
        ("select 1", "alter table codes add column x int default bump()", "it calls public.bump()"),
        (
            "update pg_class set reltuples = 3000000 where relname = 'codes'",
            "alter table codes alter price type numeric(5,2)",
            "about 3,000,000 rows) while nobody can use it",
        ),
    ],
)
async def test_no_dry_run_where_code_or_locks_would_reach_out(
    clinic_copy: str, make_executor: MakeExecutor, setup: str, sql: str, words: str
) -> None:
    execute(clinic_copy, setup)
    before = execute(clinic_copy, "select count(*) from pg_largeobject_metadata")
    evidence = (await shown(make_executor, clinic_copy, sql)).evidence
    assert evidence.startswith("No dry run") and words in evidence
    assert execute(clinic_copy, "select count(*) from pg_largeobject_metadata") == before


async def test_a_failing_statement_is_named_with_its_line(
    clinic_copy: str, make_executor: MakeExecutor
) -> None:
    sql = "-- one\nupdate touched set n = 5;\n\n/* two\n */ insert into codes\nvalues ('E11', 'x');"
    outcome, asked = await call(make_executor, clinic_copy, sql, yes=True)
    assert outcome.failure is not None
    assert "Statement 2 of 2 (INSERT, line 5) failed and nothing was changed" in outcome.failure.message
    assert "statement 2 (INSERT)" in asked[0].preview.evidence
    assert [touch.split(":")[0] for touch in asked[0].preview.touches] == ["line 2", "line 5"]
    assert execute(clinic_copy, "select n from touched") != 5


async def test_notices_are_counted_and_not_shown(clinic_copy: str, make_executor: MakeExecutor) -> None:
    outcome, _ = await call(make_executor, clinic_copy, "select whisper()", yes=True)
    assert outcome.structured()["notices"] == 1
    assert "Quill" not in outcome.markdown() and "1 notice" in outcome.markdown()


async def test_access_is_told_from_the_catalog(clinic_copy: str, make_executor: MakeExecutor) -> None:
    execute(
        clinic_copy,
        "grant select, update on profiles to pg_monitor",
        "create view safe with (security_invoker = true) as select id from profiles",
    )
    cases = {
        "alter table profiles disable row level security": "row of profiles: pg_monitor: SELECT, UPDATE.",
        "create policy p on codes using (true)": "Row level security is OFF on codes",
        "grant select on codes to public": "public then reaches EVERY row of it",
        "grant insert on profiles to public": "the 2 policies of profiles let through",
        "drop policy own_rows on profiles": "1 policy of profiles stay",
        "alter table codes enable row level security": "codes has no policy: everybody but postgres",
        "create or replace view safe as select id from profiles": "safe LOSES security_invoker",
        "alter table visits alter code set not null": "kB, about 40 rows) is scanned under ACCESS",
    }
    for sql, words in cases.items():
        preview = await shown(make_executor, clinic_copy, sql)
        assert words in f"{preview.consequence} {preview.evidence}", sql


async def test_an_insert_of_constants_can_be_taken_back_by_its_key(
    clinic_copy: str, make_executor: MakeExecutor
) -> None:
    sql = "insert into codes (display, code) values ('x', 'Q1'), ('y', 'Q2')"
    outcome, asked = await call(make_executor, clinic_copy, sql, yes=True)
    assert outcome.failure is None
    back, _ = await call(make_executor, clinic_copy, asked[0].preview.undo, yes=True)
    assert back.structured()["statements"][0]["rows"] == 2
    assert execute(clinic_copy, "select count(*) from codes") == 3


async def test_the_copy_that_is_advised_keeps_the_rows(clinic_copy: str, make_executor: MakeExecutor) -> None:
    preview = await shown(make_executor, clinic_copy, "delete from visits where code = 'E11'")
    advised = [line.removeprefix("--   ") for line in preview.undo.splitlines() if line.startswith("--   ")]
    kept = "select count(*) from undo_copies.visits_before"
    assert execute(clinic_copy, *advised, kept) == execute(
        clinic_copy, "select count(*) from visits where code = 'E11'"
    )
