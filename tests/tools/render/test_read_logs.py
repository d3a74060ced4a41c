"""Logs and metrics through the gate: errors of the last hour at once, filters, nothing of a person."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.executor import Executor
from tests.simulated import simulated_gate, simulated_resources
from tools.http.secret import Secret
from tools.logs.report import Log
from tools.render.client import RenderClient
from tools.render.metrics_report import Metrics
from tools.resources import Resources
from tools.sandbox.platform import OWNER, RENDER_ADMIN, Active, Effect, Line, Platform, guardian, incidents
from tools.sandbox.platform.people import FIRST, LAST

pytestmark = pytest.mark.anyio


@pytest.fixture
def platform() -> Platform:
    return guardian()


@pytest.fixture
def gate(platform: Platform, tmp_path: Path) -> Executor:
    return simulated_gate(platform, tmp_path / "audit.jsonl")


def plant(platform: Platform, name: str) -> None:
    next(each for each in incidents.ALL if each.name == name).plant(platform)


def write(platform: Platform, *texts: str, service: str = "guardian-web", level: Any = "error") -> None:
    """Lines a second apart, up to just now."""
    hosted, now = platform.world.named(service), platform.clock.now()
    for number, text in enumerate(texts):
        at = now - timedelta(seconds=60 - number)
        platform.world.wrote(hosted.spec.id, at, text, level=level, instance="srv-x-aa111")


async def read(gate: Executor, **arguments: Any) -> Log:
    outcome = await gate.call("read_logs", arguments)
    assert isinstance(outcome.result, Log), outcome.failure
    return outcome.result


async def test_without_arguments_the_errors_of_the_last_hour_come_grouped(platform: Platform, gate: Executor):
    plant(platform, "database-connections")
    log = await read(gate)
    first = log.groups[0]
    assert "SQLSTATE 53300" in first.newest.text and first.count > 100 and first.sources == ("guardian-web",)
    assert first.first < first.last and first.instances == 2
    assert sum(group.count for group in log.groups) == log.read
    text = log.markdown()
    assert len(text.splitlines()) <= 40 and "Requests answered 500" in text


async def test_lines_that_say_the_same_are_one_with_the_newest_shown_and_its_own_frame(
    platform: Platform, gate: Executor
):
    write(
        platform,
        "error job 1 failed for Ada Okoye",
        "error job 2 failed for Ben Ito",
        "    at next (node:internal/process/task_queues:95:5)",
        "    at claim (/opt/render/project/src/dist/jobs.js:12:9)",
    )
    log = await read(gate, services=["guardian-web"], window="5m", type="app")
    (group,) = [each for each in log.groups if "job" in each.newest.text]
    assert group.count == 2 and group.newest.text.startswith("error job 2 failed for <name:")
    assert group.newest.frame == "at claim (dist/jobs.js:12:9)"


async def test_nothing_of_a_person_leaves_in_groups_or_lines(platform: Platform, gate: Executor):
    for arguments in (
        {"level": "all", "window": "3h", "most": 3000},
        {"level": "all", "window": "1h", "one_by_one": 200},
        {"level": "all", "window": "1h", "one_by_one": 200, "services": ["guardian-document-worker"]},
    ):
        log = await read(gate, **arguments)
        assert log.read > 150
        everything = log.model_dump_json() + log.markdown()
        assert [name for name in (*FIRST, *LAST) if name.lower() in everything.lower()] == []
        for trace in ("@example.org", "+1 555", "MRN-", "203.0.113.", "dob=19", "dob=20", ".pdf for"):
            assert trace not in everything.replace(">.pdf for", ""), trace
        assert "guardian" in everything and "info" in everything


async def test_where_phi_is_off_the_lines_come_as_they_are(platform: Platform, tmp_path: Path):
    write(platform, "error no note for Ada Okoye, key=sk_live_abcdefghij1234567890")
    gate = simulated_gate(platform, tmp_path / "audit.jsonl", strict=False)
    text = (await read(gate, window="5m", services=["guardian-web"])).markdown()
    assert "Ada Okoye" in text and "sk_live" not in text


async def test_filters_of_text_level_status_and_path(platform: Platform, gate: Executor):
    write(platform, "warn cache is cold", "error disk is slow", level="warning")
    warned = await read(gate, services=["guardian-web"], level="warning", window="5m", type="app")
    assert {"warn cache is cold", "error disk is slow"} <= {each.newest.text for each in warned.groups}
    found = await read(gate, text="CACHE*cold", window="5m")
    assert [each.newest.text for each in found.groups] == ["warn cache is cold"]
    requests = await read(gate, services=["guardian-web"], status="404,5xx", window="2h")
    assert {each.newest.request.split()[-1] for each in requests.groups} <= {"404", "500", "502", "503"}
    assert requests.read > 0
    path = await read(gate, services=["guardian-web"], path="/api/share", window="1h")
    assert path.groups and all("/api/share" in each.newest.request for each in path.groups)


async def test_a_filter_never_tells_what_is_hidden(platform: Platform, gate: Executor):
    write(platform, "error no note for Marisol Okonjo")
    for text in ("Marisol", "note for Mar*", "okonjo"):
        log = await read(gate, text=text, window="5m", services=["guardian-web"])
        assert log.read == 0 and not log.groups
    assert (await read(gate, text="no note", window="5m", services=["guardian-web"])).read == 1


async def test_a_slash_at_both_ends_is_no_expression(platform: Platform, gate: Executor):
    write(platform, "error at /api/share/ again")
    assert (await read(gate, text="/api/share/", window="5m")).read == 1


async def test_a_program_without_levels_is_searched_by_its_words(platform: Platform, gate: Executor):
    write(
        platform, "Traceback (most recent call last):", "ValueError: no", service="guardian-ocr", level="info"
    )
    log = await read(gate, services=["guardian-ocr"], window="5m")
    assert log.read == 2 and "no line has the level error" in log.markdown()


async def test_more_lines_than_were_read_are_said(platform: Platform, gate: Executor):
    log = await read(gate, services=["guardian-web"], level="all", window="2h", most=100)
    assert log.cut and log.read == 100 and "the newest 100 lines" in log.markdown()
    assert all(group.first >= platform.clock.now() - timedelta(hours=1) for group in log.groups)


async def test_the_log_of_a_job_and_of_a_database(platform: Platform, gate: Executor):
    text = (await read(gate, services=["guardian-jobs"], level="all")).markdown()
    assert "checkpoint complete" in text
    outcome = await gate.call("read_logs", {"services": ["guardian-shared"]})
    assert outcome.failure is not None and "environment group" in outcome.failure.message
    outcome = await gate.call("read_logs", {"job": "job-1"})
    assert outcome.failure is not None and "services" in outcome.failure.message


@pytest.mark.parametrize("arguments", [{"window": "soon"}, {"window": "90d"}, {"status": "abc"}, {"most": 0}])
async def test_wrong_arguments_are_told(gate: Executor, arguments: dict[str, Any]):
    outcome = await gate.call("read_logs", arguments)
    assert outcome.failure is not None and outcome.failure.kind == "invalid_input"


async def test_a_log_that_cannot_be_read_is_said_and_not_taken_for_silence(
    platform: Platform, gate: Executor
):
    platform.faults.add("status", "GET", "/logs", status=500)
    log = await read(gate)
    assert log.read == 0 and "Not read: log of" in log.markdown()


async def test_new_lines_are_followed_through_the_websocket(platform: Platform, tmp_path: Path):
    web = platform.world.named("guardian-web").spec.id
    line = Line("error cannot reach Marisol Okonjo", 600.0)
    platform.world.effects.append(Active(web, Effect(lines=(line,)), platform.clock.now()))
    with platform.serve() as at:
        platform.clock.run(20)
        render = RenderClient(Secret(RENDER_ADMIN.text), api_url=at.render, owner=OWNER)
        resources = Resources(render_or_none=render, now=platform.clock.now)
        gate = simulated_gate(platform, tmp_path / "audit.jsonl", resources=resources)
        log = await read(gate, services=["guardian-web"], follow=1, text="cannot reach")
        await render.close()
    assert log.lines and all(each.text.startswith("error cannot reach <name:") for each in log.lines)


async def measured(gate: Executor, **arguments: Any) -> Metrics:
    outcome = await gate.call("read_metrics", arguments)
    assert isinstance(outcome.result, Metrics), outcome.failure
    return outcome.result


async def test_all_services_stand_in_one_table(platform: Platform, gate: Executor):
    plant(platform, "memory-leak")
    found = await measured(gate, window="6h")
    web = next(each for each in found.measures if each.name == "guardian-web")
    assert web.memory_peak is not None and web.memory_limit is not None
    assert 0.9 < web.memory_peak / web.memory_limit <= 1 and web.cpu_limit == 2
    assert sum(web.failures.values()) >= 1 and "out of memory" in next(iter(web.failures))
    text = found.markdown()
    assert "memory peak" in text and "Worth a look: guardian-web: memory peak" in text
    assert len(found.measures) == 6 and len(text.splitlines()) <= 40 and not found.note


async def test_one_service_is_told_over_time(platform: Platform, gate: Executor):
    plant(platform, "deploy-errors")
    found = await measured(gate, services=["guardian-web"], window="40m", rows=4)
    (web,) = found.measures
    assert web.requests == pytest.approx(sum(web.statuses.values())) and (web.share("5") or 0) > 0.01
    assert [each.start for each in found.slices] == sorted(each.start for each in found.slices)
    failed = [(each.failed or 0) / (each.requests or 1) for each in found.slices]
    assert failed[-1] > 10 * failed[0] and len(found.slices) == 4
    assert sum(each.requests or 0 for each in found.slices) == pytest.approx(web.requests)
    assert web.deploys and "5xx" in found.markdown()


async def test_a_worker_and_a_database_have_the_figures_that_they_have(gate: Executor):
    worker = (await measured(gate, services=["guardian-document-worker"])).measures[0]
    assert worker.requests is None and not worker.latency_ms and worker.memory_peak
    database = (await measured(gate, services=["guardian-jobs"], window="1d")).measures[0]
    assert database.connections is not None and database.disk and database.disk_size
    text = (await measured(gate, services=["guardian-ocr"])).markdown()
    assert "disk:" in text and "requests" not in text.split("\n\n")[1]


async def test_a_metric_that_fails_is_named(platform: Platform, gate: Executor):
    platform.faults.add("status", "GET", "/metrics/memory", status=500, times=2)
    found = await measured(gate, services=["guardian-web"])
    assert "memory" in found.note and found.measures[0].cpu is not None


async def test_a_path_is_only_for_web_services_and_a_window_is_not_a_moment(gate: Executor):
    for arguments in ({"services": ["guardian-ocr"], "path": "/x"}, {"window": "1m"}):
        outcome = await gate.call("read_metrics", arguments)
        assert outcome.failure is not None and outcome.failure.kind == "invalid_input"
    share = (await measured(gate, services=["guardian-web"], path="/api/share")).measures[0]
    whole = (await measured(gate, services=["guardian-web"])).measures[0]
    assert share.requests and whole.requests and share.requests < whole.requests / 5


async def test_without_traffic_nothing_is_claimed(tmp_path: Path, platform: Platform):
    web = platform.world.named("guardian-web")
    web.change(platform.clock.now() - timedelta(hours=2), suspenders=("user",))
    gate = simulated_gate(platform, tmp_path / "a.jsonl", resources=simulated_resources(platform))
    text = (await measured(gate, services=["guardian-web"], window="30m")).markdown()
    assert "nan" not in text.lower() and "None" not in text
