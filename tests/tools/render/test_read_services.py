"""Names to ids, the list of services and the description of one, through the gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.executor import Executor
from tests.simulated import simulated_gate, simulated_resources
from tools.errors import ConfigurationError, InvalidInput, NotFound
from tools.render.list_services import Services
from tools.render.naming import find_env_group, find_resource, find_service, find_services
from tools.resources import Resources
from tools.sandbox.platform import Behaviour, Platform, guardian, push
from tools.sections import Description

pytestmark = pytest.mark.anyio


@pytest.fixture
def platform() -> Platform:
    return guardian()


@pytest.fixture
def gate(platform: Platform, tmp_path: Path) -> Executor:
    return simulated_gate(platform, tmp_path / "audit.jsonl")


async def told(gate: Executor, called: str, **arguments: Any) -> str:
    outcome = await gate.call(called, arguments)
    assert outcome.result is not None, outcome.failure
    return outcome.result.markdown()


async def test_a_name_an_id_or_a_unique_start_name_one_service(platform: Platform):
    render = simulated_resources(platform).render
    service = await find_service(render, "guardian-web")
    assert (await find_service(render, service.id)).name == "guardian-web"
    assert (await find_service(render, "Guardian-W")).id == service.id
    assert (await find_resource(render, "guardian-jobs")).kind == "postgres"
    assert (await find_resource(render, "guardian-queue")).kind == "key_value"
    group = await find_env_group(render, "guardian-shared")
    assert [each.key for each in group.env_vars]
    assert (await find_resource(render, group.id)).kind == "env_group"
    twice = await find_services(render, ["guardian-web", service.id, "guardian-ocr"])
    assert [each.name for each in twice] == ["guardian-web", "guardian-ocr"]


async def test_an_ambiguous_or_unknown_name_lists_the_choices(platform: Platform):
    render = simulated_resources(platform).render
    with pytest.raises(InvalidInput, match=r"more than one service: .*guardian-web \(srv-"):
        await find_service(render, "guardian-")
    with pytest.raises(NotFound) as caught:
        await find_service(render, "worker")
    assert "guardian-document-worker" in caught.value.hint and "guardian-ocr" not in caught.value.hint
    with pytest.raises(InvalidInput):
        await find_service(render, "  ")
    with pytest.raises(NotFound):
        await find_service(render, "srv-d0000000000000000000")


async def test_what_sergei_toml_names_is_a_fence(platform: Platform):
    everything = simulated_resources(platform).render
    ocr = await find_service(everything, "guardian-ocr")
    fenced = simulated_resources(platform, services=("guardian-web",)).render
    assert [each.name for each in await find_services(fenced, [])] == ["guardian-web"]
    for word in ("guardian-ocr", ocr.id):
        with pytest.raises(NotFound):
            await find_service(fenced, word)
        with pytest.raises(NotFound):
            await find_resource(fenced, word)
    elsewhere = simulated_resources(platform, owner="tea-another").render
    with pytest.raises(NotFound, match="workspace"):
        await find_service(elsewhere, ocr.id)
    with pytest.raises(ConfigurationError, match="no project"):
        await find_service(simulated_resources(platform, project="nowhere").render, "guardian-web")


async def test_the_list_says_what_serves_and_what_failed_since(platform: Platform, gate: Executor):
    push(platform, "guardian-web", "Broken on purpose", Behaviour(build="fails"))
    platform.clock.advance(900)
    outcome = await gate.call("list_services", {})
    assert isinstance(outcome.result, Services), outcome.failure
    lines = {line.name: line for line in outcome.result.services}
    assert len(lines) == 7
    web = lines["guardian-web"]
    assert web.status == "live" and "Broken" not in web.serving and web.latest.startswith("build_failed")
    assert web.instances == "2-5 by cpu 65 %" and web.autodeploy == "on commit to main"
    assert lines["guardian-reminders"].status == "cron */15 * * * *"
    assert {line.kind for line in outcome.result.others} >= {"Postgres", "Key Value", "environment group"}
    text = outcome.result.markdown()
    assert "guardian-jobs" in text and len(text.splitlines()) <= 40


async def test_suspended_services_and_filters_are_told(platform: Platform, gate: Executor):
    worker = platform.world.named("guardian-document-worker")
    worker.change(platform.clock.now(), suspenders=("user",))
    text = await told(gate, "list_services", like="worker")
    assert "suspended by user" in text and "guardian-ocr" not in text


async def test_one_part_that_cannot_be_read_costs_no_other(platform: Platform, gate: Executor):
    platform.faults.add("status", "GET", "/postgres", status=500)
    text = await told(gate, "list_services")
    assert "guardian-web" in text and "Not read: Postgres" in text
    platform.faults.add("status", "GET", "/env-vars", status=500)
    text = await told(gate, "describe_service", name="guardian-web")
    assert "Not read: environment variables" in text and "health check: /health" in text


async def test_a_rate_limit_is_waited_for(platform: Platform, gate: Executor):
    platform.faults.add("status", "GET", "/services", status=429)
    assert "guardian-web" in await told(gate, "list_services")


@pytest.mark.parametrize(
    ("name", "section", "expected"),
    [
        (
            "guardian-web",
            "overview",
            ["health check: /health", "SESSION_SECRET", "guardian-shared", "(serves)"],
        ),
        ("guardian-web", "deploys", ["live (serves)", "new_commit"]),
        ("guardian-web", "events", ["deploy_ended", "succeeded"]),
        ("guardian-web", "environment", ["SESSION_SECRET", "the service", "QUEUE_URL", "guardian-shared"]),
        ("guardian-reminders", "jobs", ["Runs", "0 of them not well", "cron_job_run_ended"]),
        ("guardian-ocr", "disk", ["ocr-models", "/var/models", "Snapshots"]),
        ("guardian-web", "network", ["0.0.0.0/0", "10000/TCP"]),
        ("guardian-web", "blueprint", ["render.yaml on main"]),
        ("guardian-jobs", "overview", ["PostgreSQL 17", "point-in-time recovery: AVAILABLE", "no standby"]),
        ("guardian-queue", "overview", ["when full: noeviction"]),
        ("guardian-shared", "environment", ["QUEUE_URL", "linked to: guardian-web"]),
    ],
)
async def test_each_section_answers_its_question(
    gate: Executor, name: str, section: str, expected: list[str]
):
    text = await told(gate, "describe_service", name=name, section=section)
    assert [part for part in expected if part not in text] == []
    assert "Not read" not in text and len(text.splitlines()) <= 45


async def test_values_of_variables_are_digests_only(platform: Platform, gate: Executor):
    web = platform.world.named("guardian-web")
    web.env |= {"ONE_SECRET": "the-very-same-value", "EMPTY": "", "LOG_LEVEL": "debug"}
    platform.world.named("guardian-ocr").env["OTHER_NAME"] = "the-very-same-value"
    outcome = await gate.call("describe_service", {"name": "guardian-web", "section": "environment"})
    assert isinstance(outcome.result, Description)
    rows = {(row[0], row[2]): row for section in outcome.result.sections for row in section.rows}
    assert rows["EMPTY", "the service"][1] == "empty"
    assert rows["LOG_LEVEL", "guardian-shared"][3] == "overridden by the service"
    digest = rows["ONE_SECRET", "the service"][1]
    other = await told(gate, "describe_service", name="guardian-ocr", section="environment")
    assert f"| OTHER_NAME | {digest} |" in other
    everything = outcome.result.model_dump_json() + other
    assert "the-very-same-value" not in everything and "simulated-session-secret" not in everything


async def test_a_missing_health_check_and_a_section_that_is_not_there_are_said(
    platform: Platform, gate: Executor
):
    platform.world.named("guardian-web").change(platform.clock.now(), health_check_path="")
    assert "health check: NONE" in await told(gate, "describe_service", name="guardian-web")
    outcome = await gate.call("describe_service", {"name": "guardian-jobs", "section": "deploys"})
    assert outcome.failure is not None and outcome.failure.kind == "invalid_input"


async def test_texts_of_events_and_jobs_are_veiled(platform: Platform, gate: Executor):
    web = platform.world.named("guardian-web")
    now = platform.clock.now()
    reason = {"evicted": False, "unhealthy": "GET /health said: no record of Marisol Okonjo"}
    platform.world.happened(
        web.spec.id, now, "server_failed", {"instanceID": "srv-x-abc12", "reason": reason}
    )
    text = await told(gate, "describe_service", name="guardian-web", section="events")
    assert "server_failed" in text and "unhealthy: GET /health said: no record of <name:" in text
    assert "Marisol" not in text and "Okonjo" not in text


async def test_without_a_key_the_answer_says_which_one(tmp_path: Path):
    gate = simulated_gate(guardian(), tmp_path / "audit.jsonl", resources=Resources())
    for name in ("list_services", "describe_service", "read_logs", "read_metrics"):
        outcome = await gate.call(name, {"name": "x"} if name == "describe_service" else {})
        assert outcome.failure is not None and outcome.failure.kind == "configuration"
        assert "RENDER_API_KEY" in outcome.failure.hint
