"""The tool as the faces see it: through the gate, on the demo, on plain Postgres, on nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest

from agent.executor import Executor
from tests.conftest import MakeExecutor
from tests.tools.rls.reading import findings_of as found_in
from tools.database.connection import Database
from tools.errors import InvalidInput
from tools.resources import Suppression
from tools.review import Review
from tools.rls.reading import read_snapshot
from tools.rls.review import chosen, findings_of, review
from tools.sandbox import faults

pytestmark = pytest.mark.anyio
Plant = Callable[..., str]
ALL = [fault.name for fault in faults.faults()]


async def reviewed(executor: Executor, **arguments: object) -> Review:
    outcome = await executor.call("review_rls", arguments)
    assert isinstance(outcome.result, Review), outcome
    return outcome.result


async def look(dsn: str, *suppressions: Suppression) -> Review:
    database = Database(dsn)
    snapshot = await read_snapshot(database)
    await database.close()
    return review("here", snapshot, findings_of(snapshot), suppressions)


async def test_the_clean_demo_has_no_findings_and_says_what_was_examined(
    demo_dsn: str, make_executor: MakeExecutor
) -> None:
    result = await reviewed(make_executor(demo_dsn))
    assert [finding.message for finding in result.findings] == []
    assert "anon, authenticated" in " ".join(result.coverage.examined)
    assert all(gap.why for gap in result.coverage.not_examined)
    assert not [gap for gap in result.coverage.not_examined if "parsed" in gap.why]


async def test_a_review_serialises_to_the_published_shape(plant: Plant, make_executor: MakeExecutor) -> None:
    dsn = plant("policy_always_true", "index_dropped")
    result = await reviewed(make_executor(dsn))
    shape = json.loads(result.model_dump_json(by_alias=True))
    assert list(shape) == ["target", "findings", "summary", "coverage"]
    assert shape["summary"] == {"error": 1, "warn": 1, "info": 0, "suppressed": 0}
    assert list(shape["coverage"]) == ["examined", "not_examined"]
    assert set(shape["coverage"]["not_examined"][0]) == {"what", "why"}
    assert set(shape["findings"][0]) == {
        "rule", "level", "domain", "schema", "table", "policy", "function", "object", "message", "evidence",
        "fix", "cache_key",
    }  # fmt: skip
    assert [finding["level"] for finding in shape["findings"]] == ["ERROR", "WARN"]


async def test_only_skip_and_schemas_narrow_the_review(plant: Plant, make_executor: MakeExecutor) -> None:
    dsn = plant("policy_always_true", "definer_without_search_path")
    executor = make_executor(dsn)
    only = await reviewed(executor, only=["function_search_path_mutable"])
    skip = await reviewed(executor, skip=["function_search_path_mutable"])
    schema = await reviewed(executor, schemas=["private"])
    assert [f.rule for f in only.findings] == ["function_search_path_mutable"]
    assert [f.rule for f in skip.findings] == ["rls_policy_always_true"]
    assert [f.rule for f in schema.findings] == ["function_search_path_mutable"]


async def test_an_unknown_schema_is_named_with_its_neighbours(
    demo_dsn: str, make_executor: MakeExecutor
) -> None:
    outcome = await make_executor(demo_dsn).call("review_rls", {"schemas": ["privat"]})
    assert "private" in outcome.markdown()


def test_an_unknown_rule_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(InvalidInput, match="rls_disabled_in_public"):
        chosen(["rls_disabled_public"], [])


async def test_a_suppressed_finding_is_counted_and_not_shown(plant: Plant) -> None:
    dsn = plant("bucket_made_public", "policy_always_true")
    every = await look(dsn)
    key = next(f.cache_key for f in every.findings if f.rule == "storage_bucket_public")
    by_object = Suppression(
        "rls_policy_always_true", "policy medications_select on public.medications", "demo"
    )
    result = await look(dsn, by_object, Suppression("storage_bucket_public", key, "pictures only"))
    assert len(every.findings) == 2
    assert result.findings == []
    assert result.summary.suppressed == 2


async def test_a_suppression_of_another_object_changes_nothing(plant: Plant) -> None:
    dsn = plant("policy_always_true")
    other = Suppression("rls_policy_always_true", "policy vitals_select on public.vitals", "demo")
    assert (await look(dsn, other)).summary.error == 1


async def test_markdown_names_every_finding_and_what_was_not_examined(plant: Plant) -> None:
    result = await look(plant(*ALL))
    assert len(result.findings) > 30
    assert all(finding.object in result.markdown() for finding in result.findings)
    assert "Not examined:" in result.markdown()


async def test_anon_reachable_records_come_first(plant: Plant) -> None:
    dsn = plant(*ALL)
    result = await look(dsn)
    assert "anon" in result.findings[0].message
    levels = [finding.level.rank for finding in result.findings]
    assert levels == sorted(levels)


async def test_the_snapshot_takes_a_constant_number_of_round_trips(
    demo_dsn: str, plain_database: str
) -> None:
    demo, plain = Database(demo_dsn), Database(plain_database)
    assert (await read_snapshot(demo)).round_trips == 2
    assert (await read_snapshot(plain)).round_trips == 1
    await demo.close()
    await plain.close()


async def test_an_empty_supabase_project_has_no_findings(empty_database: str) -> None:
    result = await look(empty_database)
    assert [finding.message for finding in result.findings] == []


async def test_plain_postgres_without_row_level_security_gets_no_noise(plain_database: str) -> None:
    with psycopg.connect(plain_database) as connection:
        connection.execute("create table patients (id int); grant select on patients to public")
    result = await look(plain_database)
    assert result.findings == []
    gaps = {gap.what: gap.why for gap in result.coverage.not_examined}
    assert {"Supabase API exposure", "row level security", "storage"} <= set(gaps)


async def test_on_plain_postgres_the_roles_that_policies_address_are_the_callers(plain_database: str) -> None:
    with closing(psycopg.connect(plain_database)) as connection:
        connection.execute("""
            create role clinic_app nologin;
            create schema clinic;
            grant usage on schema clinic to clinic_app;
            create table clinic.patients (id uuid primary key, birth_date date);
            create table clinic.visits (id uuid primary key, patient_id uuid references clinic.patients (id));
            create index on clinic.visits (patient_id);
            grant select on all tables in schema clinic to clinic_app;
            alter table clinic.visits enable row level security;
            create policy visits on clinic.visits to clinic_app
              using (patient_id = (select current_setting('app.patient_id')::uuid));
        """)
        found = found_in(connection)
        connection.rollback()
    assert [(f.rule, f.level, f.object) for f in found] == [
        ("rls_disabled_in_public", "WARN", "clinic.patients")
    ]
    assert "clinic_app" in found[0].message


async def test_a_tool_call_without_a_database_says_what_to_pass(make_executor: MakeExecutor) -> None:
    outcome = await make_executor().call("review_rls", {})
    assert "--database-url" in outcome.markdown()
