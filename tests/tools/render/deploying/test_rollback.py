"""Back to an earlier release when a person asks for it: autodeploy first, verified, and never by guess."""

from __future__ import annotations

import pytest

from tests.tools.render.deploying.world import WEB, WORKER, Killed, World, ends_at
from tools.errors import Conflict, InvalidInput, NotFound, Refused
from tools.render.rollback_service import RollbackService, preview_rollback_service
from tools.sandbox.platform import Active, Behaviour, Effect, deploys, push
from tools.sandbox.platform.deploys import serving

pytestmark = pytest.mark.anyio
BAD = Behaviour(effect=Effect(error_rate=0.2))


async def go_bad(world: World) -> tuple[str, str]:
    """A bad release by a push; the commit before it, and its deploy."""
    before = serving(world.hosted(WEB), world.platform.clock.now())
    assert before is not None and before.commit is not None
    push(world.platform, WEB, "Bad search", BAD)
    world.platform.clock.advance(900)
    assert world.serving(WEB) != before.commit.id
    return before.commit.id, before.id


async def test_back_to_the_release_before_with_autodeploy_off_first(world: World):
    commit, deploy = await go_bad(world)
    own = world.hosted(WEB).spec.id
    preview = await preview_rollback_service(RollbackService(service=WEB), world.resources())
    assert preview.action.startswith("1. Turn autodeploy of guardian-web off.\n2. Roll back")
    assert deploy in preview.action and "Not undone" in preview.consequence
    assert "db:check" in preview.consequence and own in preview.target
    told = await world.roll_back(WEB)
    assert world.serving(WEB) == commit
    assert world.changes() == [f"PATCH /v1/services/{own}", f"POST /v1/services/{own}/rollback"]
    assert world.hosted(WEB).spec.auto_deploy is False
    assert told.verdict == "back_verified", told.markdown()
    assert told.after is not None and (told.after.share or 0) < 0.01
    (entry,) = world.remembered()
    assert entry.title == f"Rollbacks of {WEB} on Render" and entry.outcomes[0].result == "worked"
    assert len(told.markdown().splitlines()) <= 40


async def test_after_a_deploy_that_waits_it_compares_with_the_time_before_the_bad_release(world: World):
    world.push(WEB, BAD)
    waiting = await world.deploy(WEB)
    assert waiting.verdict == "regressed_waiting"
    told = await world.roll_back(WEB)
    assert told.before == waiting.before and told.verdict == "back_verified"
    assert "from the record of its deploy" in told.steps[0].what


async def test_trouble_that_is_not_the_release_is_said_to_be_so(world: World):
    world.push(WEB, Behaviour())
    assert (await world.deploy(WEB)).verdict == "live_verified"
    effect = Active(world.hosted(WEB).spec.id, Effect(error_rate=0.3), world.platform.clock.now())
    world.platform.world.effects.append(effect)
    world.platform.clock.advance(600)
    told = await world.roll_back(WEB)
    assert told.verdict == "no_better" and "was not the cause" in told.reasons[0]
    assert world.asked("POST", "/rollback") == 1


async def test_what_cannot_be_chosen_or_reached_is_refused_with_the_choices(world: World):
    hosted = world.hosted(WEB)
    good = [each.id for each in hosted.deploys]
    for deploy, error, said in (
        (good[-1], InvalidInput, "serves now"),
        ("dep-nothing", NotFound, "not among the newest"),
    ):
        with pytest.raises(error, match=said) as raised:
            await world.roll_back(WEB, deploy=deploy)
        assert good[-2] in raised.value.hint
    world.push(WEB, Behaviour(build="fails"))
    failed = (await world.deploy(WEB)).deploy
    with pytest.raises(InvalidInput, match="build_failed and never served"):
        await world.roll_back(WEB, deploy=failed)
    with pytest.raises(InvalidInput, match="cron jobs"):
        await world.roll_back("guardian-reminders")
    world.hosted(WORKER).change(world.platform.clock.now(), suspenders=("user",))
    with pytest.raises(Refused, match="suspended"):
        await world.roll_back(WORKER)
    assert world.asked("POST", "/rollback") == 0 and world.asked("PATCH", "/services") == 0


async def test_a_release_that_came_by_rollback_is_not_rolled_back_to_the_bad_one_by_guess(world: World):
    await go_bad(world)
    await world.roll_back(WEB)
    with pytest.raises(InvalidInput, match="came by a rollback itself") as raised:
        await world.roll_back(WEB)
    older = world.hosted(WEB).deploys[-4].id
    assert older in raised.value.hint
    assert (await world.roll_back(WEB, deploy=older)).verdict == "back_verified"


async def test_while_a_deploy_is_under_way_there_is_nothing_to_roll_back(world: World):
    hosted = world.hosted(WEB)
    deploys.create(world.platform.world, hosted, world.platform.clock.now(), commit=hosted.commits[0])
    with pytest.raises(Conflict, match="under way"):
        await world.roll_back(WEB)


async def test_when_autodeploy_stays_on_nothing_is_rolled_back(world: World):
    await go_bad(world)
    world.platform.faults.add("status", "PATCH", "/services/", status=403, message="not allowed")
    told = await world.roll_back(WEB)
    assert told.verdict == "failed" and "no rollback was begun" in told.reasons[0]
    assert world.asked("POST", "/rollback") == 0


async def test_a_lost_answer_about_autodeploy_is_looked_at(world: World):
    commit, _ = await go_bad(world)
    world.platform.faults.add("timeout_after", "PATCH", "/services/")
    told = await world.roll_back(WEB)
    assert told.verdict == "back_verified" and world.serving(WEB) == commit
    assert world.asked("PATCH", "/services") == 1


async def test_a_lost_request_is_unknown_and_the_next_call_looks_first(world: World):
    commit, _ = await go_bad(world)
    world.platform.faults.add("timeout_after", "POST", "/rollback")
    world.platform.faults.add("status", "GET", "/deploys$", times=10_000, skip=2, status=503)
    told = await world.roll_back(WEB)
    assert told.verdict == "unknown"
    world.platform.faults.waiting.clear()
    preview = await preview_rollback_service(RollbackService(service=WEB), world.resources())
    assert preview.action.startswith("Go on with the rollback")
    again = await world.roll_back(WEB)
    assert again.verdict == "back_verified" and world.serving(WEB) == commit
    assert world.asked("POST", "/rollback") == 1


async def test_one_that_never_came_is_asked_for_again(world: World):
    commit, _ = await go_bad(world)
    world.platform.faults.add("timeout", "POST", "/rollback")
    assert (await world.roll_back(WEB)).verdict == "unknown"
    world.platform.clock.advance(600)
    again = await world.roll_back(WEB)
    assert again.verdict == "back_verified" and world.serving(WEB) == commit


@pytest.mark.parametrize("seconds", [5, 30, 80, 200])
async def test_after_our_own_end_the_next_call_goes_on_with_the_same_rollback(world: World, seconds: float):
    commit, _ = await go_bad(world)
    with pytest.raises(Killed):
        await world.roll_back(WEB, resources=ends_at(world, seconds))
    world.platform.clock.advance(30)
    preview = await preview_rollback_service(RollbackService(service=WEB), world.resources())
    assert preview.action.startswith("Go on with the rollback")
    told = await world.roll_back(WEB)
    assert told.verdict == "back_verified" and world.serving(WEB) == commit
    assert world.asked("POST", "/rollback") == 1
