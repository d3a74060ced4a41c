"""A deploy goes live and is good, goes live and is bad, or does not go live: each with its proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.tools.render.deploying.world import WEB, WORKER, World
from tools.render.deploying.health import over_the_network
from tools.sandbox.platform import Active, Behaviour, Effect, Line
from tools.sandbox.platform.failures import evicted, out_of_memory
from tools.sandbox.platform.people import FIRST, LAST

pytestmark = pytest.mark.anyio


async def test_a_good_release_is_verified_against_the_time_before(world: World):
    commit = world.push(WEB, Behaviour())
    told = await world.deploy(WEB, clear_cache=True)
    assert told.verdict == "live_verified", told.markdown()
    assert world.hosted(WEB).deploys[-1].clear_cache
    assert world.serving(WEB) == commit.id and told.revision == f"commit {commit.id[:12]}"
    assert told.before is not None and told.after is not None
    assert told.before.minutes == 15 and told.before.requests and told.after.requests
    assert told.after.start > told.before.end, "what is measured after is not of the old instances"
    assert [step.what for step in told.steps[1:6]] == [
        f"{told.deploy}: created",
        "build_in_progress",
        "pre_deploy_in_progress",
        "update_in_progress",
        "live",
    ]
    assert world.changes() == [f"POST /v1/services/{world.hosted(WEB).spec.id}/deploys"]
    assert len(told.markdown().splitlines()) <= 40
    (entry,) = world.remembered()
    assert entry.category == "deployment-patterns" and entry.outcomes[0].result == "worked"
    assert told.deploy in entry.result and entry.source.digest.startswith("sha256:")


async def test_each_deploy_is_one_more_outcome_of_the_same_entry(world: World):
    world.push(WORKER, Behaviour())
    await world.deploy(WORKER)
    world.push(WORKER, Behaviour(build="fails"))
    await world.deploy(WORKER)
    (entry,) = world.remembered()
    assert [outcome.result for outcome in entry.outcomes] == ["worked", "failed"]


@pytest.mark.parametrize(
    ("behaviour", "verdict", "cause"),
    [
        (Behaviour(build="fails", build_lines=("npm error code ERESOLVE",)), "failed_build", "dependencies"),
        (
            Behaviour(build="fails", build_lines=("a.ts(3,1): error TS2304: x",)),
            "failed_build",
            "compile",
        ),
        (
            Behaviour(pre_deploy="fails", pre_deploy_lines=("migration 0042 failed: lock timeout",)),
            "failed_pre_deploy",
            "migration",
        ),
        (Behaviour(needs=("NORMALIZER_URL",)), "failed_update", "NORMALIZER_URL is missing"),
        (
            Behaviour(update="fails", update_lines=("Error: Cannot find module 'pdf-parse'",)),
            "failed_update",
            "module",
        ),
        (Behaviour(update="fails", update_reason=out_of_memory("4Gi")), "failed_update", "memory"),
    ],
)
async def test_what_did_not_go_live_is_diagnosed_and_needs_no_rollback(
    world: World, behaviour: Behaviour, verdict: str, cause: str
):
    before = world.serving(WEB)
    world.push(WEB, behaviour)
    told = await world.deploy(WEB, rollback_on_regression=True)
    assert told.verdict == verdict and cause in " ".join(told.reasons), told.markdown()
    assert world.serving(WEB) == before
    assert "still serves, its health check passes (200): no rollback is needed" in told.reasons[-1]
    assert world.asked("POST", "/rollback") == 0 and world.asked("PATCH", "/services") == 0
    assert told.next_steps and not told.not_undone


async def test_a_build_is_shown_with_the_place_where_it_failed(world: World):
    line = "src/units/panel.ts(412,17): error TS2339: Property 'unit' does not exist on type 'Row'."
    world.push(WEB, Behaviour(build="fails", build_lines=("npm run build", line)))
    told = await world.deploy(WEB)
    assert any("src/units/panel.ts(412,17): error TS2339" in text for text in told.evidence), told.evidence


async def test_a_wrong_health_path_is_waited_for_and_named(world: World):
    world.hosted(WEB).change(world.platform.clock.now(), health_check_path="/nowhere")
    world.push(WEB, Behaviour())
    told = await world.deploy(WEB)
    assert told.verdict == "failed_update"
    assert "unhealthy" in told.reasons[0] and "404" in told.reasons[0]
    assert "health check" in told.reasons[1]
    assert any(check.name == "health" and check.level == "warning" for check in told.checks)


BAD: dict[str, tuple[str, Behaviour, str]] = {
    "errors": (WEB, Behaviour(effect=Effect(error_rate=0.08)), "5xx"),
    "latency": (WEB, Behaviour(effect=Effect(latency=4.0)), "p95"),
    "memory": (WEB, Behaviour(effect=Effect(memory=4.2)), "memory rose"),
    "down": (WEB, Behaviour(effect=Effect(down=True)), "health check from outside"),
    "killed": (
        WORKER,
        Behaviour(effect=Effect(crash_every=150, crash=out_of_memory("4Gi"))),
        "out of memory (limit 4Gi)",
    ),
    "errors in the log": (
        WORKER,
        Behaviour(effect=Effect(lines=(Line("error TypeError: pages is not iterable job={job}", 6.0),))),
        "new errors in the log",
    ),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_release_is_proposed_to_be_taken_back_and_stays_until_somebody_decides(
    world: World, kind: str
):
    name, behaviour, reason = BAD[kind]
    commit = world.push(name, behaviour)
    told = await world.deploy(name)
    assert told.verdict == "regressed_waiting" and reason in told.reasons[0], told.markdown()
    assert world.serving(name) == commit.id and world.asked("POST", "/rollback") == 0
    assert "rollback_service" in told.next_steps[0]
    assert world.remembered()[0].outcomes[0].result == "failed"


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_release_is_taken_back_once_when_a_person_approved_that(world: World, kind: str):
    name, behaviour, reason = BAD[kind]
    world.hosted(name).change(world.platform.clock.now(), auto_deploy=True)
    before = world.serving(name)
    world.push(name, behaviour)
    told = await world.deploy(name, rollback_on_regression=True)
    own = world.hosted(name).spec.id
    assert told.verdict == "regressed_rolled_back" and reason in told.reasons[0], told.markdown()
    assert world.serving(name) == before
    assert world.changes() == [
        f"POST /v1/services/{own}/deploys",
        f"PATCH /v1/services/{own}",
        f"POST /v1/services/{own}/rollback",
    ], "autodeploy is turned off before the rollback"
    assert world.hosted(name).spec.auto_deploy is False
    assert any("stays off until a person" in step for step in told.next_steps)
    assert any("migrations" in said for said in told.not_undone)


async def test_a_rollback_that_does_not_help_is_not_followed_by_another(world: World):
    world.push(WEB, Behaviour(effect=Effect(error_rate=0.1)))
    service, now = world.hosted(WEB).spec.id, world.platform.clock.now()
    world.platform.clock.advance(1)

    async def pause(seconds: float) -> None:
        await world.platform.clock.sleep(seconds)
        late = (world.platform.clock.now() - now).total_seconds() > 170
        if late and not world.platform.world.effects:
            trouble = Active(service, Effect(error_rate=0.1), world.platform.clock.now())
            world.platform.world.effects.append(trouble)

    told = await world.deploy(WEB, rollback_on_regression=True, resources=world.resources(pause=pause))
    assert told.verdict == "regressed_waiting"
    assert "the release was not the cause" in told.reasons[-1]
    assert world.asked("POST", "/rollback") == 1


async def test_too_little_traffic_is_inconclusive_and_the_next_call_watches_on(world: World):
    hosted = world.hosted(WEB)
    hosted.profile = replace(hosted.profile, per_minute=3.0)
    commit = world.push(WEB, Behaviour())
    told = await world.deploy(WEB, rollback_on_regression=True)
    assert told.verdict == "live_inconclusive"
    assert "requests in" in told.reasons[0] and "150 are needed" in told.reasons[0]
    assert f"deploy_service on {WEB} with commit {commit.id}" in told.next_steps[0]
    assert world.asked("POST", "/rollback") == 0
    hosted.profile = replace(hosted.profile, per_minute=420.0)
    again = await world.deploy(WEB, commit=commit.id, bake_minutes=10)
    assert again.verdict == "live_verified" and again.deploy == told.deploy, again.markdown()
    assert world.asked("POST", "/deploys") == 1, "the second call deployed nothing"


async def test_what_the_platform_did_is_not_held_against_the_release(world: World):
    world.push(WORKER, Behaviour(effect=Effect(crash_every=150, crash=evicted())))
    told = await world.deploy(WORKER)
    assert told.verdict == "live_verified", told.markdown()


async def test_a_worker_that_falls_silent_is_not_called_good(world: World):
    world.push(WORKER, Behaviour(effect=Effect(down=True)))
    told = await world.deploy(WORKER)
    assert told.verdict in {"live_inconclusive", "regressed_waiting"}, told.markdown()


@pytest.mark.parametrize(
    ("name", "verdict", "said"),
    [("guardian-help", "live_verified", ""), ("guardian-usage-report", "live_inconclusive", "next run")],
)
async def test_sites_are_proven_by_their_health_and_cron_jobs_by_their_next_run(
    world: World, name: str, verdict: str, said: str
):
    world.push(name, Behaviour())
    told = await world.deploy(name)
    assert told.verdict == verdict and said in " ".join(told.reasons), told.markdown()


async def test_an_image_is_deployed_by_its_reference(world: World):
    told = await world.deploy("guardian-ocr", image="ghcr.io/guardian-health/ocr:2.3.2")
    assert world.serving("guardian-ocr") == "ghcr.io/guardian-health/ocr:2.3.2"
    assert told.revision == "ghcr.io/guardian-health/ocr:2.3.2"


async def test_metrics_that_cannot_be_read_leave_the_verdict_open(world: World):
    world.push(WEB, Behaviour())
    world.platform.faults.add("status", "GET", "/metrics/", times=500, status=400)
    told = await world.deploy(WEB)
    assert told.verdict == "live_inconclusive"
    assert told.before is not None and any(said.startswith("memory") for said in told.before.missing)
    assert "Not measured" in told.markdown()


@pytest.mark.parametrize("arguments", [{}, {"rollback_on_regression": True}])
async def test_no_patient_is_in_the_answer_or_in_what_was_told(world: World, arguments: dict[str, Any]):
    line = Line("error extract failed for patient={patient} dob={dob} mrn={mrn}", 8.0)
    other = Line("error could not notify {email} about {patient}", 8.0)
    world.push(WORKER, Behaviour(effect=Effect(lines=(line, other))))
    told = await world.deploy(WORKER, **arguments)
    said = "\n".join((told.markdown(), told.model_dump_json(), *world.told)) + str(world.remembered())
    assert "extract failed" in said
    seen = [name for name in (*FIRST, *LAST, "example.org", "MRN-1") if name in said]
    assert seen == [], said


async def test_the_first_deploy_of_a_service_is_judged_by_itself(world: World):
    hosted = world.hosted(WEB)
    hosted.deploys.clear()
    world.push(WEB, Behaviour())
    told = await world.deploy(WEB, rollback_on_regression=True)
    assert told.verdict == "live_verified" and told.previous == "nothing served", told.markdown()


async def test_a_first_deploy_that_is_bad_has_nothing_to_go_back_to(world: World):
    world.hosted(WEB).deploys.clear()
    world.push(WEB, Behaviour(effect=Effect(error_rate=0.3)))
    told = await world.deploy(WEB, rollback_on_regression=True)
    assert told.verdict == "regressed_waiting"
    assert "no earlier release to go back to" in told.reasons[-1]
    assert world.asked("PATCH", "/services") == 0
    assert "rollback_service" not in " ".join(told.next_steps)


async def test_trouble_that_was_there_before_is_not_held_against_the_release(world: World):
    service = world.hosted(WEB).spec.id
    start = world.platform.clock.now() - timedelta(hours=1)
    world.platform.world.effects.append(Active(service, Effect(error_rate=0.1, latency=3), start))
    world.push(WEB, Behaviour())
    told = await world.deploy(WEB, rollback_on_regression=True)
    assert told.verdict == "live_verified", told.markdown()


async def test_the_health_check_of_a_served_site_over_the_network(world: World):
    with world.platform.serve():
        url = world.platform.site("guardian-web")
        assert await over_the_network(f"{url}/health") == 200
        assert await over_the_network(f"{url}/nowhere") == 404
    assert await over_the_network(f"{url}/health") == 0
    assert await over_the_network("http://[") == 0


@pytest.mark.parametrize(("status", "verdict"), [(503, "live_inconclusive"), (403, "live_verified")])
async def test_a_health_check_that_did_not_pass_before_takes_nothing_back(
    world: World, status: int, verdict: str
):
    async def closed(url: str) -> int:
        return status

    world.push(WEB, Behaviour())
    told = await world.deploy(WEB, rollback_on_regression=True, resources=world.resources(get_status=closed))
    assert told.verdict == verdict, told.markdown()
    assert str(status) in " ".join((*told.reasons, *told.cautions))
    assert world.asked("POST", "/rollback") == 0


async def test_a_health_check_that_begins_to_fail_takes_it_back(world: World):
    before, begun = world.serving(WEB), world.platform.clock.now()
    world.push(WEB, Behaviour())

    async def breaks(url: str) -> int:
        passed = (world.platform.clock.now() - begun).total_seconds()
        return 500 if 300 < passed < 420 else 200

    told = await world.deploy(WEB, rollback_on_regression=True, resources=world.resources(get_status=breaks))
    assert told.verdict == "regressed_rolled_back" and "answered 500, 3 times in a row" in told.reasons[0]
    assert world.serving(WEB) == before
