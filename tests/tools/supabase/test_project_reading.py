"""The Supabase project through the gate: what needs somebody is said, nothing of a person leaves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.executor import Executor
from tests.simulated import simulated_gate
from tools.http.secret import Secret
from tools.logs.report import Log
from tools.resources import Resources
from tools.sandbox.platform import SUPABASE_ADMIN, Line, Platform, guardian
from tools.sandbox.platform.clickhouse import prepared, run
from tools.sandbox.platform.people import FIRST, LAST
from tools.sandbox.platform.supabase_state import SupabaseProject, Trouble
from tools.supabase.auth_settings import remarks
from tools.supabase.client import SupabaseClient
from tools.supabase.log_queries import Wish, query_for, quoted, without_values
from tools.supabase.models import AuthConfig

pytestmark = pytest.mark.anyio


@pytest.fixture
def platform() -> Platform:
    return guardian()


@pytest.fixture
def project(platform: Platform) -> SupabaseProject:
    assert platform.project is not None
    return platform.project


@pytest.fixture
def gate(platform: Platform, tmp_path: Path) -> Executor:
    return simulated_gate(platform, tmp_path / "audit.jsonl")


async def told(gate: Executor, section: str = "overview") -> str:
    outcome = await gate.call("describe_project", {"section": section})
    assert outcome.result is not None, outcome.failure
    return outcome.result.markdown()


async def logs(gate: Executor, **arguments: Any) -> Log:
    outcome = await gate.call("read_project_logs", arguments)
    assert isinstance(outcome.result, Log), outcome.failure
    return outcome.result


async def test_the_overview_says_what_needs_somebody(gate: Executor, project: SupabaseProject):
    project.unhealthy["auth"] = "timed out"
    text = await told(gate)
    for said in (
        "NOT HEALTHY: auth UNHEALTHY timed out",
        "ACCEPTED (SSL enforcement is off)",
        "ANYBODY who has the password",
        "WITHOUT A JWT ANYBODY CALLS document-processor",
        "ANYBODY READS help-images",
        "point-in-time recovery on",
        "compute Large ($111 a month)",
        "1 ERROR",
    ):
        assert said in text, said
    assert len(text.splitlines()) <= 40 and "Not read" not in text


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("functions", ["document-processor", "NO: anybody may call it", "quality-guardian"]),
        ("secrets", ["VISION_API_KEY", "equal digests"]),
        ("auth", ["sign-in by: email", "uri_allow_list", "password_hibp_enabled"]),
        ("backups", ["COMPLETED", "physical"]),
        ("network", ["max_connections 160", "transaction", "serves public"]),
        ("advisors", ["ssl_not_enforced", "auth_rls_initplan"]),
        ("branches", ["main", "healthcare_journey"]),
    ],
)
async def test_each_section_answers_its_question(gate: Executor, section: str, expected: list[str]):
    text = await told(gate, section)
    assert [part for part in expected if part not in text] == [] and "simulated-" not in text


async def test_a_part_that_is_missing_costs_no_other(platform: Platform, gate: Executor):
    platform.faults.add("status", "GET", "/config/auth", status=500)
    platform.faults.add("status", "GET", "/branches", status=404)
    text = await told(gate)
    assert "Not read: Auth settings" in text and "branches" not in text and "Edge Functions" in text


async def test_without_a_named_project_the_only_one_is_meant(platform: Platform, tmp_path: Path):
    client = SupabaseClient(Secret(SUPABASE_ADMIN.text), transport=platform.transport())
    gate = simulated_gate(
        platform,
        tmp_path / "audit.jsonl",
        resources=Resources(supabase_or_none=client, now=platform.clock.now),
    )
    assert "guardian-production" in await told(gate)


def settings(**changed: Any) -> AuthConfig:
    good: dict[str, Any] = {
        "site_url": "https://app.example.org", "uri_allow_list": "https://app.example.org/**",
        "smtp_host": "mail.example.org", "sessions_inactivity_timeout": 8, "sessions_timebox": 24,
        "password_min_length": 12, "jwt_exp": 3600,
    }  # fmt: skip
    return AuthConfig.model_validate(good | changed)


@pytest.mark.parametrize(
    ("changed", "setting", "level"),
    [
        ({"mailer_autoconfirm": True}, "mailer_autoconfirm", "ERROR"),
        ({"sms_test_otp": "4915112345678=123456"}, "sms_test_otp", "ERROR"),
        ({"password_hibp_enabled": False}, "password_hibp_enabled", "WARN"),
        ({"password_min_length": 6}, "password_min_length", "WARN"),
        ({"jwt_exp": 86_400}, "jwt_exp", "WARN"),
        ({"smtp_host": None}, "smtp_host", "WARN"),
        ({"sessions_inactivity_timeout": 0}, "sessions_inactivity_timeout", "INFO"),
        (
            {"uri_allow_list": "https://app.example.org/**, https://*-mine.vercel.app/**"},
            "uri_allow_list",
            "ERROR",
        ),
        ({"uri_allow_list": "https://**"}, "uri_allow_list", "ERROR"),
        ({"uri_allow_list": "http://app.example.org/x"}, "uri_allow_list", "WARN"),
        ({"uri_allow_list": "http://localhost:3000"}, "uri_allow_list", "INFO"),
        ({"site_url": "http://localhost:3000"}, "site_url", "WARN"),
    ],
)
def test_each_remark_comes_with_its_setting_and_goes_with_it(
    changed: dict[str, Any], setting: str, level: str
):
    assert remarks(settings()) == []
    assert [(each.setting, each.level) for each in remarks(settings(**changed))] == [(setting, level)]
    assert remarks(AuthConfig()) == []


async def test_errors_of_the_last_hour_come_grouped_and_veiled(
    platform: Platform, project: SupabaseProject, gate: Executor
):
    start = platform.clock.now() - timedelta(minutes=30)
    failed = {"parsed.error_severity": "ERROR", "parsed.sql_state_code": "23505",
              "parsed.query": "insert into patients(name, age) values ('Marisol Okonjo', 82)"}  # fmt: skip
    line = Line("duplicate key value violates unique constraint for {patient}", 3.0)
    project.troubles.append(Trouble("postgres_logs", line, start, None, tuple(failed.items())))
    log = await logs(gate)
    (group,) = [each for each in log.groups if "postgres" in each.sources]
    assert group.count > 50 and group.newest.level == "error"
    assert group.newest.text.startswith("23505 duplicate key value violates unique constraint for <name:")
    assert "values (?, ?)" in group.newest.text
    everything = log.model_dump_json() + log.markdown()
    assert [name for name in (*FIRST, *LAST) if name in everything] == []
    assert "Requests answered 500" in log.markdown() and len(log.markdown().splitlines()) <= 40


async def test_nothing_of_a_person_leaves_in_any_line(gate: Executor):
    log = await logs(gate, level="all", window="30m", one_by_one=200, most=1000)
    everything = log.model_dump_json()
    assert log.read > 300 and [name for name in (*FIRST, *LAST) if name.lower() in everything.lower()] == []
    assert "@example.org" not in everything and "function document-processor" in everything


async def test_filters_of_function_status_path_and_text(gate: Executor):
    one = await logs(gate, function="document-processor", level="all", window="20m")
    assert {source for each in one.groups for source in each.sources} == {"function document-processor"}
    bad = await logs(gate, status="404,5xx", window="6h", source="api")
    assert {each.newest.request.rpartition(" ")[2] for each in bad.groups} <= {"404", "500"} and bad.read
    path = await logs(gate, path="/rest/v1/profiles", level="all", window="1h")
    assert path.read and all("/rest/v1/profiles" in each.newest.request for each in path.groups)
    assert (await logs(gate, text="token*refreshed", window="1h")).read > 0
    assert (await logs(gate, text="Okonjo", window="1h")).read == 0
    for wrong in ({"function": "nothing"}, {"source": "postgres", "status": "500"}, {"window": "30d"}):
        outcome = await gate.call("read_project_logs", wrong)
        assert outcome.failure is not None and outcome.failure.kind in {"not_found", "invalid_input"}


async def test_more_than_a_day_is_asked_day_by_day_until_there_are_enough(tmp_path: Path):
    now, asked = datetime(2026, 11, 24, 14, 30, tzinfo=UTC), list[tuple[str, str]]()

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/logs"):
            return httpx.Response(200, json=[])
        query = request.url.params
        asked.append((query["iso_timestamp_start"], query["iso_timestamp_end"]))
        start = query["iso_timestamp_start"].replace("Z", "").replace("+00:00", "")
        early = {"timestamp": "2020-01-01T00:00:00", "event_message": "rounding", "source": "auth_logs"}
        row = {"timestamp": start, "event_message": "lost", "source": "auth_logs", "level": "error"}
        return httpx.Response(200, json={"result": [row, early], "error": None})

    client = SupabaseClient(
        Secret(SUPABASE_ADMIN.text), project_ref="a" * 20, transport=httpx.MockTransport(answer)
    )
    resources = Resources(supabase_or_none=client, now=lambda: now)
    gate = simulated_gate(guardian(), tmp_path / "audit.jsonl", resources=resources)
    log = await logs(gate, source="auth", window="50h", most=10)
    assert len(asked) == 3 and log.read == 3 and not log.cut
    assert [start for start, _ in asked[:-1]] == [end for _, end in asked[1:]]
    asked.clear()
    assert (await logs(gate, source="auth", window="50h", most=2)).cut and len(asked) == 2


async def test_an_error_of_the_backend_is_said(platform: Platform, gate: Executor):
    platform.faults.add("status", "GET", "/analytics/endpoints/logs", status=500, times=9)
    log = await logs(gate)
    assert log.read == 0 and "Not read: logs" in log.markdown()


@pytest.mark.parametrize("text", ["it's", "back\\slash", "') or 1=1 --", "a\x00b", "100%", "\\'"])
def test_a_text_stays_a_text_in_a_query(text: str):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    row: Mapping[str, Any] = {
        "timestamp": "2026-01-01T00:00:00.000000",
        "event_message": "xx" + text.replace("\x00", " "),
        "source": "auth_logs",
        "log_attributes": {"level": "info"},
    }
    other = {**row, "event_message": "another line"}
    sql = query_for(Wish(source="auth", level="all", text=text), 10)
    assert [each["event_message"] for each in run(prepared(sql), [dict(row), other], now)] == [
        row["event_message"]
    ]
    assert quoted(text).startswith("'") and "\x00" not in quoted(text)


def test_statements_are_told_without_values():
    sql = "select * from t1 where id = 42 and name = 'O''Brien' and x > -1.5 and y = $1"
    assert without_values(sql) == "select * from t1 where id = ? and name = ? and x > ? and y = $1"
