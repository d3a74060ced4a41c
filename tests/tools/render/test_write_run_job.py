"""run_job through the gate: started once, followed to its end, stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.approvals import Answer
from tests.tools.render.write_world import CRON, DATABASE, OCR, SITE, WEB, WORKER, WriteWorld
from tools.render.run_job import run_job
from tools.sandbox.platform import RENDER_VIEWER

pytestmark = pytest.mark.anyio
COMMAND = "node dist/reindex.js --since 2026-11-01"


@pytest.fixture
def world(tmp_path: Path) -> WriteWorld:
    """Guardian's services on a quiet Tuesday."""
    return WriteWorld(tmp_path)


async def test_a_job_is_asked_as_destructive_and_followed_to_its_end(world: WriteWorld):
    said = await world.done(run_job, service=WORKER, command=COMMAND)
    own = world.hosted(WORKER).spec.id
    for part in (
        "[destructive]",
        f'POST /services/{own}/jobs {{"startCommand": "{COMMAND}"}}',
        "ALL variables of guardian-document-worker",
        "what it did to data stays done",
        "workspace Guardian",
    ):
        assert part in world.shown
    assert said.startswith("Succeeded") and "succeeded after 36 s" in said
    assert f"read_logs services=[{WORKER}] job=job-" in said
    assert world.sent == [f"POST /services/{own}/jobs"]
    assert any("is running" in told for told in world.told)


async def test_a_no_and_other_words(world: WriteWorld):
    world.answer = Answer.DENY
    kind, _ = await world.failed(run_job, service=WORKER, command=COMMAND)
    assert kind == "refused" and world.sent == [] and world.hosted(WORKER).jobs == {}
    await world.failed(run_job, service=WORKER, command=COMMAND + " --all")
    assert len({request.binding for request in world.asked}) == 2


async def test_one_that_takes_longer_is_left_running_and_can_be_stopped(world: WriteWorld):
    said = await world.done(run_job, service=WORKER, command=COMMAND, wait_seconds=0)
    (job,) = world.hosted(WORKER).jobs
    assert said.startswith("Started") and f"{job} is pending" in said
    await world.failed(run_job, service=WORKER, command=COMMAND, action="cancel")
    await world.done(run_job, service=WORKER, command=COMMAND, wait_seconds=0)
    assert f"running already: {job}" in world.shown
    said = await world.done(run_job, service=WORKER, action="cancel", job=job)
    assert "[destructive]" in world.shown and f"{job} is canceled" in said
    kind, said = await world.failed(run_job, service=WORKER, action="cancel", job=job)
    assert kind == "invalid_input" and "is over" in said


async def test_a_job_that_fails_says_so(world: WriteWorld):
    hosted = world.hosted(WORKER)

    def fail() -> None:
        for key, job in hosted.jobs.items():
            hosted.jobs[key] = job | {"status": "failed", "startedAt": None, "finishedAt": None}

    world.while_waiting = fail
    said = await world.done(run_job, service=WORKER, command=COMMAND)
    assert said.startswith("FAILED") and "failed; read_logs" in said


async def test_a_cron_job_runs_now(world: WriteWorld):
    world.platform.clock.advance(180)  # after the scheduled run of 14:30
    said = await world.done(run_job, service=CRON)
    own = world.hosted(CRON).spec.id
    assert f"POST /cron-jobs/{own}/runs" in world.shown and "npm run cron:reminders" in world.shown
    assert "*/15 * * * *" in world.shown and "[write]" in world.shown
    assert said.startswith("Ran") and "successful" in said
    assert len(world.hosted(CRON).runs) == 1


async def test_a_run_under_way_is_named_before_it_is_stopped(world: WriteWorld):
    world.platform.clock.advance(180)
    await world.done(run_job, service=CRON, wait_seconds=0)
    (first,) = world.hosted(CRON).runs
    await world.done(run_job, service=CRON, wait_seconds=0)
    assert "[destructive]" in world.shown and f"({first}) is STOPPED by this" in world.shown
    assert world.hosted(CRON).runs[first]["status"] == "canceled"
    said = await world.done(run_job, service=CRON, action="cancel")
    assert "[destructive]" in world.shown and "is over" in said
    kind, said = await world.failed(run_job, service=CRON, action="cancel")
    assert kind == "invalid_input" and "No run" in said


async def test_a_lost_answer_is_settled_by_looking(world: WriteWorld):
    await world.done(run_job, service=WORKER, command=COMMAND)
    world.platform.faults.add("timeout_after", "POST", "/jobs")
    said = await world.done(run_job, service=WORKER, command=COMMAND)
    assert "state shows that it happened" in said and said.startswith("Succeeded")
    assert len(world.hosted(WORKER).jobs) == 2
    world.platform.faults.add("timeout", "POST", "/jobs")
    kind, said = await world.failed(run_job, service=WORKER, command=COMMAND)
    assert kind == "outcome_unknown" and "no such job is there" in said
    assert len(world.hosted(WORKER).jobs) == 2


async def test_a_lost_answer_of_a_run(world: WriteWorld):
    world.platform.faults.add("dropped_after", "POST", "/runs")
    said = await world.done(run_job, service=CRON)
    assert "state shows that it happened" in said and len(world.hosted(CRON).runs) == 1
    world.platform.faults.add("dropped", "POST", "/runs")
    kind, said = await world.failed(run_job, service=CRON)
    assert kind == "outcome_unknown" and "no new run began" in said
    assert len(world.hosted(CRON).runs) == 1


async def test_the_scheduled_run_under_way_is_named_too(world: WriteWorld):
    """It is 14:30, and a run is due every quarter of an hour."""
    world.answer = Answer.DENY
    await world.failed(run_job, service=CRON)
    assert "[destructive]" in world.shown and "is STOPPED by this" in world.shown


async def test_rate_limits_and_errors_while_it_is_followed(world: WriteWorld):
    world.platform.faults.add("status", "POST", "/jobs", status=429, retry_after=9)
    world.platform.faults.add("status", "GET", "/jobs/job-", status=500, times=2)
    said = await world.done(run_job, service=WORKER, command=COMMAND)
    assert said.startswith("Succeeded")
    assert any("waiting 9 s" in told for told in world.told)
    assert any("could not be read" in told for told in world.told)


async def test_a_lesser_key_gives_one_clear_sentence(tmp_path: Path):
    world = WriteWorld(tmp_path, render_key=RENDER_VIEWER.text)
    kind, said = await world.failed(run_job, service=CRON)
    assert kind == "refused" and "RENDER_API_KEY lacks the right" in said


@pytest.mark.parametrize(
    ("service", "arguments", "part"),
    [
        (WEB, {}, "needs a `command`"),
        (SITE, {"command": "ls"}, "static site"),
        (DATABASE, {"command": "ls"}, "is no service"),
        (WEB, {"command": "ls", "job": "job-abcdef123"}, "with action cancel"),
        (WEB, {"action": "cancel"}, "name the `job`"),
        (WEB, {"command": "API_KEY=sk_live_4eC39HqLyjWDarjtT1zdp7dc npm run x"}, "looks like a secret"),
        (WEB, {"command": "ls", "plan": "x"}, "not one of its arguments"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anybody_is_asked(
    world: WriteWorld, service: str, arguments: dict[str, str], part: str
):
    kind, said = await world.failed(run_job, service=service, **arguments)
    assert kind == "invalid_input" and part in said
    assert world.asked == [] and world.sent == []


async def test_a_suspended_service_runs_no_job(world: WriteWorld):
    world.hosted(OCR).change(world.platform.clock.now(), suspenders=("user",))
    kind, said = await world.failed(run_job, service=OCR, command="ls")
    assert kind == "invalid_input" and "suspended" in said


async def test_a_persons_value_in_a_command_is_pointed_out(world: WriteWorld):
    await world.done(run_job, service=WORKER, command="node resend.js --to jane.doe" + "@" + "example.org")
    assert "seems to hold a person's value" in world.shown
