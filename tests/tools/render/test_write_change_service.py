"""change_service through the gate, on the simulated platform: asked rightly, done once, and looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.approvals import Answer
from agent.patterns import Pattern
from tests.tools.render.write_world import CACHE, CRON, DATABASE, OCR, SITE, WEB, WORKER, WriteWorld
from tools.registry import Effect
from tools.render.change_service import PLANNERS, change_service
from tools.sandbox.platform import RENDER_STRANGER, RENDER_VIEWER, deploys, push
from tools.sandbox.platform.clock import stamp
from tools.sandbox.platform.world import Autoscaling

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(tmp_path: Path) -> WriteWorld:
    """Guardian's services on a quiet Tuesday."""
    return WriteWorld(tmp_path)


def plan_maintenance(world: WriteWorld) -> dict[str, object]:
    """A planned run of maintenance of the database."""
    now, key = world.platform.clock.now(), world.platform.world.new_id("mrn")
    run: dict[str, object] = {
        "id": key,
        "resourceId": world.record("postgres", DATABASE)["id"],
        "type": "postgres_version_upgrade",
        "state": "scheduled",
        "scheduledAt": stamp(now + timedelta(days=2), 0),
        "pendingMaintenanceBy": stamp(now + timedelta(days=9), 0),
    }
    world.platform.world.kind("maintenance")[key] = run
    return run


async def test_a_scale_shows_request_target_cost_and_way_back(world: WriteWorld):
    said = await world.done(change_service, service=WORKER, action="scale", instances=3)
    own = world.hosted(WORKER).spec
    for part in (
        "[write]",
        f'POST /services/{own.id}/scale {{"numInstances": 3}}',
        f"{WORKER} ({own.id}), background_worker, plan 2c-4g, virginia, workspace Guardian",
        "$85 before, $255 after",
        "Blueprint guardian",
        f"change_service service={WORKER} action=scale instances=1",
    ):
        assert part in world.shown
    assert own.num_instances == 3
    assert "set to 3 instances" in said
    assert world.sent == [f"POST /services/{own.id}/scale"]


async def test_a_no_changes_nothing(world: WriteWorld):
    world.answer = Answer.DENY
    kind, said = await world.failed(change_service, service=WORKER, action="scale", instances=3)
    assert kind == "refused" and "not today" in said
    assert world.sent == []


async def test_the_same_again_is_asked_again_and_another_number_too(world: WriteWorld):
    await world.done(change_service, service=WORKER, action="scale", instances=3)
    await world.done(change_service, service=WORKER, action="scale", instances=2)
    assert [request.arguments["instances"] for request in world.asked] == [3, 2]
    kind, said = await world.failed(change_service, service=WORKER, action="scale", instances=2)
    assert kind == "invalid_input" and "already" in said
    assert len(world.asked) == 2 and len(world.sent) == 2


async def test_what_render_would_ignore_is_refused_with_the_reason(world: WriteWorld):
    kind, said = await world.failed(change_service, service=WEB, action="scale", instances=4)
    assert kind == "invalid_input"
    assert "Autoscaling of guardian-web is on (2-5 by cpu 65 %)" in said and "lowest" in said
    assert world.asked == [] and world.sent == []


async def test_a_scale_that_was_ignored_is_said(world: WriteWorld):
    """Somebody turns autoscaling on while the request waits for the rate limit."""
    hosted, clock = world.hosted(WORKER), world.platform.clock
    world.platform.faults.add("status", "POST", "/scale", status=429, retry_after=7)
    world.while_waiting = lambda: hosted.change(clock.now(), autoscaling=Autoscaling(True, 1, 2, 70, None))
    said = await world.done(change_service, service=WORKER, action="scale", instances=3)
    assert said.startswith("Sent, and it did NOT take effect") and "set to 1 instance" in said


async def test_a_world_that_moved_while_a_person_read_asks_again(world: WriteWorld):
    hosted, clock = world.hosted(WORKER), world.platform.clock
    world.while_asked = lambda: hosted.change(clock.now(), num_instances=2)
    kind, said = await world.failed(change_service, service=WORKER, action="scale", instances=4)
    assert kind == "conflict" and "Call it again" in said
    assert world.sent == []


@pytest.mark.parametrize(
    ("service", "arguments", "part"),
    [
        (OCR, {"action": "scale", "instances": 2}, "has a disk"),
        (CRON, {"action": "scale", "instances": 2}, "cron_job"),
        (CRON, {"action": "restart"}, "cron_job"),
        (SITE, {"action": "restart"}, "static_site"),
        (CACHE, {"action": "restart"}, "no restart for Key Value"),
        (DATABASE, {"action": "scale", "instances": 2}, "is no service"),
        (WEB, {"action": "resume"}, "not suspended"),
        (WEB, {"action": "cancel_deploy"}, "No deploy"),
        (CRON, {"action": "cancel_deploy"}, "cron job"),
        (WEB, {"action": "change_plan", "plan": "pro"}, "already"),
        (SITE, {"action": "change_plan", "plan": "1c-2g"}, "has no plan"),
        (OCR, {"action": "autodeploy", "enabled": True}, "runs an image"),
        (WEB, {"action": "autodeploy", "enabled": True}, "on already"),
        (WORKER, {"action": "autoscaling", "highest": 3}, "needs a target"),
        (WEB, {"action": "autoscaling", "highest": 1}, "below"),
        (WEB, {"action": "autoscaling"}, "so already"),
        (DATABASE, {"action": "maintenance"}, "No maintenance"),
        (WEB, {"action": "maintenance"}, "not services"),
        (WORKER, {"action": "purge_cache"}, "only a web service"),
        ("guardian-shared", {"action": "suspend"}, "does not run"),
        ("guardian", {"action": "suspend"}, "fits more than one"),
        (WEB, {"action": "scale"}, "needs `instances`"),
        (WEB, {"action": "restart", "plan": "1c-2g"}, "takes no `plan`"),
        (DATABASE, {"action": "maintenance", "at": "2026-12-01T08:00:00"}, "zone"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anybody_is_asked(
    world: WriteWorld, service: str, arguments: dict[str, object], part: str
):
    kind, said = await world.failed(change_service, service=service, **arguments)
    assert kind == "invalid_input" and part in said
    assert world.asked == [] and world.sent == []


async def test_autoscaling_keeps_what_is_not_named_and_the_way_back_has_all_of_it(world: WriteWorld):
    await world.done(change_service, service=WEB, action="autoscaling", highest=8, memory=75)
    now = world.hosted(WEB).spec.autoscaling
    assert now is not None and (now.min, now.max, now.cpu, now.memory) == (2, 8, 65, 75)
    assert "$170 to $425 before, $170 to $680 after" in world.shown
    assert "enabled=true lowest=2 highest=5 cpu=65 memory=0" in world.shown
    await world.done(change_service, service=WEB, action="autoscaling", enabled=False)
    assert "2 instances, however many run now" in world.shown
    off = world.hosted(WEB).spec.autoscaling
    assert off is not None and not off.enabled


async def test_suspend_is_destructive_and_names_the_domains(world: WriteWorld):
    world.hosted(WEB).domains["cdm-1"] = {"id": "cdm-1", "name": "app.guardian.example"}
    said = await world.done(change_service, service=WEB, action="suspend")
    assert "[destructive]" in world.shown and "DOWN" in world.shown
    assert "domain app.guardian.example" in world.shown
    assert "suspended by user" in said and world.hosted(WEB).spec.suspenders == ("user",)
    said = await world.done(change_service, service=WEB, action="resume")
    assert "[write]" in world.shown and "deploy dep-" in said
    assert world.hosted(WEB).spec.suspenders == ()


@pytest.mark.parametrize(("name", "kind"), [(DATABASE, "postgres"), (CACHE, "key-value")])
async def test_datastores_are_switched_off_and_on(world: WriteWorld, name: str, kind: str):
    await world.done(change_service, service=name, action="suspend")
    assert "[destructive]" in world.shown
    assert world.record(kind, name)["suspended"] == "suspended"
    await world.done(change_service, service=name, action="resume")
    assert world.record(kind, name)["suspended"] == "not_suspended"


async def test_a_key_value_instance_says_only_by_its_status_that_it_is_off(world: WriteWorld):
    world.record("key-value", CACHE)["status"] = "suspended"
    kind, said = await world.failed(change_service, service=CACHE, action="suspend")
    assert kind == "invalid_input" and "suspended already" in said


async def test_a_change_that_shows_a_little_later_is_no_failure(world: WriteWorld):
    """Render answers 202 and the state follows: the first look after it still shows the old number."""
    own, now = world.hosted(WORKER).spec.id, world.platform.clock.now()
    world.platform.faults.add("status", "POST", "/scale", status=202, message="queued")
    seconds = world.platform.clock.sleep

    async def pause(length: float) -> None:
        await seconds(length)
        world.hosted(WORKER).change(now, num_instances=3)

    world.pause = pause
    said = await world.done(change_service, service=WORKER, action="scale", instances=3)
    assert said.startswith("Done") and "set to 3 instances" in said
    assert world.sent == [f"POST /services/{own}/scale"]


async def test_a_pattern_for_one_change_covers_no_other(world: WriteWorld):
    executor = world.executor()
    common = {"tool": "change_service", "reason": "night shift", "expires": "2030-12-31"}
    scale = {"service": WORKER, "action": "scale", "instances": 2}
    executor.approvals.patterns = (
        Pattern.model_validate(common | {"name": "scale", "target": f"{WORKER} *", "arguments": scale}),
        Pattern.model_validate(
            common
            | {"name": "any", "target": f"{WORKER} *", "arguments": {"service": WORKER}}
            | {"other_arguments": "any"}
        ),
    )
    executor.approvals.now = lambda: datetime(2030, 1, 1, tzinfo=UTC)
    world.answer = Answer.DENY
    await world.done(change_service, **scale)
    assert world.asked == [] and world.hosted(WORKER).spec.num_instances == 2
    await world.failed(change_service, service=WORKER, action="suspend")  # destructive, which no pattern says
    assert len(world.asked) == 1 and world.hosted(WORKER).spec.suspenders == ()


async def test_a_restart_with_a_disk_or_of_a_database_is_destructive(world: WriteWorld):
    said = await world.done(change_service, service=WEB, action="restart")
    assert "[write]" in world.shown and "no downtime" in world.shown and "restarted" in said
    await world.done(change_service, service=OCR, action="restart")
    assert "[destructive]" in world.shown and "DOWN" in world.shown
    said = await world.done(change_service, service=DATABASE, action="restart")
    assert "[destructive]" in world.shown and said.startswith("Accepted")


async def test_a_smaller_plan_is_held_against_the_peak_of_memory(world: WriteWorld):
    said = await world.done(change_service, service=WORKER, action="change_plan", plan="standard")
    assert (
        '{"serviceDetails": {"plan": "standard"}}' in world.shown
        and "to 1c-2g" in world.shown
        and "[destructive]" in world.shown
    )
    assert "TOO LITTLE ROOM" in world.shown and "$85 before, $25 after" in world.shown
    assert "plan 1c-2g; newest deploy dep-" in said
    assert world.hosted(WORKER).spec.plan == "1c-2g"


@pytest.mark.parametrize(
    ("name", "kind", "plan", "cost"),
    [(DATABASE, "postgres", "1c-2g", "$19 before, $40"), (CACHE, "key-value", "3g", "$10 before, $60")],
)
async def test_the_plan_of_a_datastore(world: WriteWorld, name: str, kind: str, plan: str, cost: str):
    await world.done(change_service, service=name, action="change_plan", plan=plan)
    assert "[destructive]" in world.shown and cost in world.shown
    assert world.record(kind, name)["plan"] == plan


async def test_a_plan_without_a_price_says_so(world: WriteWorld):
    await world.done(change_service, service=WORKER, action="change_plan", plan="3c-10g")
    assert "Cost: not known" in world.shown


async def test_cancel_names_what_goes_on_serving(world: WriteWorld):
    now = world.platform.clock.now()
    before = deploys.serving(world.hosted(WEB), now)
    assert before is not None and before.commit is not None
    made = push(world.platform, WEB, "New search")
    await world.platform.clock.sleep(20)
    said = await world.done(change_service, service=WEB, action="cancel_deploy")
    assert "[destructive]" in world.shown and "status build_in_progress" in world.shown
    assert f"{before.commit.id[:7]} " in world.shown and "goes on serving" in world.shown
    assert f"deploy_service service={WEB} commit={made.id}" in world.shown
    assert "is canceled" in said


async def test_of_two_deploys_one_must_be_named_and_a_deploy_that_is_over_is_not_canceled(world: WriteWorld):
    push(world.platform, WEB, "One")
    await world.platform.clock.sleep(5)
    push(world.platform, WEB, "Two")
    kind, said = await world.failed(change_service, service=WEB, action="cancel_deploy")
    assert kind == "invalid_input" and "More than one" in said
    latest = world.hosted(WEB).deploys[-1].id
    assert "is canceled" in await world.done(
        change_service, service=WEB, action="cancel_deploy", deploy=latest
    )
    kind, said = await world.failed(change_service, service=WEB, action="cancel_deploy", deploy=latest)
    assert kind == "invalid_input" and "is over (canceled)" in said


async def test_a_deploy_that_went_live_while_a_person_read_is_not_canceled(world: WriteWorld):
    push(world.platform, WEB, "Quick")
    await world.platform.clock.sleep(20)
    world.while_asked = lambda: world.platform.clock.advance(900)
    kind, said = await world.failed(change_service, service=WEB, action="cancel_deploy")
    assert kind == "invalid_input" and "No deploy" in said
    assert world.sent == []


async def test_autodeploy(world: WriteWorld):
    await world.done(change_service, service=WEB, action="autodeploy", enabled=False)
    assert '{"autoDeploy": "no"}' in world.shown and "action=autodeploy enabled=true" in world.shown
    assert world.hosted(WEB).spec.auto_deploy is False
    await world.done(change_service, service=WEB, action="autodeploy", enabled=True)
    assert "without a person" in world.shown
    assert world.hosted(WEB).spec.auto_deploy is True


async def test_maintenance_is_moved_or_started(world: WriteWorld):
    run = plan_maintenance(world)
    later = world.platform.clock.now() + timedelta(days=4)
    await world.done(change_service, service=DATABASE, action="maintenance", at=stamp(later, 0))
    before = stamp(later - timedelta(days=2), 0)
    assert "[write]" in world.shown and f"action=maintenance at={before}" in world.shown
    assert run["scheduledAt"] == stamp(later, 0)
    too_late = world.platform.clock.now() + timedelta(days=10)
    kind, said = await world.failed(
        change_service, service=DATABASE, action="maintenance", at=stamp(too_late, 0)
    )
    assert kind == "invalid_input" and "in any case" in said
    said = await world.done(change_service, service=DATABASE, action="maintenance")
    assert "[destructive]" in world.shown and "is in_progress" in said


async def test_the_cache_is_emptied(world: WriteWorld):
    said = await world.done(change_service, service=WEB, action="purge_cache")
    assert said.startswith("Accepted") and world.sent[-1].endswith("/cache/purge")


async def test_a_lost_answer_is_settled_by_looking(world: WriteWorld):
    world.platform.faults.add("timeout_after", "POST", "/scale")
    said = await world.done(change_service, service=WORKER, action="scale", instances=3)
    assert "answer to the request was lost; the state shows that it happened" in said
    assert len(world.sent) == 1


async def test_a_lost_request_is_unknown_and_not_sent_again(world: WriteWorld):
    world.platform.faults.add("timeout", "POST", "/scale")
    kind, said = await world.failed(change_service, service=WORKER, action="scale", instances=3)
    assert kind == "outcome_unknown" and "set to 1 instance" in said
    assert len(world.sent) == 1 and world.hosted(WORKER).spec.num_instances == 1


async def test_a_restart_whose_answer_was_lost(world: WriteWorld):
    world.platform.faults.add("dropped_after", "POST", "/restart")
    assert "state shows that it happened" in await world.done(change_service, service=WEB, action="restart")
    world.platform.faults.add("dropped", "POST", "/restart")
    kind, said = await world.failed(change_service, service=WEB, action="restart")
    assert kind == "outcome_unknown" and "no restart is on record yet" in said


async def test_a_suspension_that_failed_with_500_is_looked_at(world: WriteWorld):
    world.platform.faults.add("status", "POST", "/suspend", status=500)
    kind, said = await world.failed(change_service, service=WEB, action="suspend")
    assert kind == "outcome_unknown" and "not suspended" in said
    assert world.hosted(WEB).spec.suspenders == ()


async def test_a_rate_limit_in_the_middle_is_waited_for(world: WriteWorld):
    world.platform.faults.add("status", "POST", "/scale", status=429, retry_after=7)
    await world.done(change_service, service=WORKER, action="scale", instances=2)
    assert any("waiting 7 s" in told for told in world.told)
    assert world.hosted(WORKER).spec.num_instances == 2


async def test_a_state_that_cannot_be_read_afterwards_is_said(world: WriteWorld):
    own = world.hosted(WORKER).spec.id
    world.platform.faults.add("status", "GET", f"/services/{own}$", status=500)
    said = await world.done(change_service, service=WORKER, action="scale", instances=2)
    assert said.startswith("Accepted") and "could not be read afterwards" in said
    assert world.hosted(WORKER).spec.num_instances == 2


async def test_a_lesser_key_gives_one_clear_sentence(tmp_path: Path):
    world = WriteWorld(tmp_path, render_key=RENDER_VIEWER.text)
    kind, said = await world.failed(change_service, service=WORKER, action="scale", instances=2)
    assert kind == "refused" and "RENDER_API_KEY lacks the right" in said
    assert world.hosted(WORKER).spec.num_instances == 1


async def test_anothers_key_finds_nothing(tmp_path: Path):
    world = WriteWorld(tmp_path, render_key=RENDER_STRANGER.text)
    kind, _ = await world.failed(change_service, service=WORKER, action="restart")
    assert kind == "not_found" and world.asked == []


async def test_nulls_are_no_trouble(world: WriteWorld):
    """A service without autoscaling, disk and plan details, as an old one answers."""
    world.record("key-value", CACHE)["plan"] = None
    kind, _ = await world.failed(change_service, service=CACHE, action="restart")
    assert kind == "invalid_input"
    await world.done(change_service, service=CACHE, action="suspend")
    world.record("postgres", DATABASE)["suspenders"] = None
    await world.done(change_service, service=DATABASE, action="suspend")


def test_every_action_has_its_planner():
    actions = change_service.input_schema["properties"]["action"]["enum"]
    assert set(actions) == set(PLANNERS) and change_service.effect is Effect.WRITE
