"""Lost answers, queues, rate limits, two at once, and our own end in the middle: never a second deploy."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.render.deploying.world import WEB, WORKER, Killed, World, ends_at
from tools.errors import Conflict, InvalidInput, Unavailable
from tools.render.deploy_service import DeployService, preview_deploy_service
from tools.render.deploying import journal
from tools.sandbox.platform import Behaviour, Effect, deploys, push

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", ["timeout_after", "dropped_after"])
async def test_a_lost_answer_is_looked_for_and_not_sent_again(world: World, kind: str):
    world.push(WEB, Behaviour())
    world.platform.faults.add(kind, "POST", "/deploys")  # type: ignore[arg-type]  # the two kinds above
    told = await world.deploy(WEB)
    assert told.verdict == "live_verified"
    assert world.asked("POST", "/deploys") == 1
    assert world.statuses(WEB).count("api live") == 1
    assert any("answer to the request was lost" in step.what for step in told.steps)


@pytest.mark.parametrize("kind", ["timeout", "dropped"])
async def test_a_lost_request_is_unknown_and_the_next_call_looks_before_it_deploys(world: World, kind: str):
    world.push(WEB, Behaviour())
    world.platform.faults.add(kind, "POST", "/deploys")  # type: ignore[arg-type]  # the two kinds above
    told = await world.deploy(WEB)
    assert told.verdict == "unknown" and told.deploy == ""
    assert "does not deploy twice" in told.next_steps[0]
    assert world.asked("POST", "/deploys") == 1 and "api" not in " ".join(world.statuses(WEB))
    preview = await preview_deploy_service(DeployService(service=WEB), world.resources())
    assert "GOT NO ANSWER" in preview.consequence
    again = await world.deploy(WEB)
    assert again.verdict == "live_verified" and world.asked("POST", "/deploys") == 2


async def test_a_deploy_that_was_queued_behind_another_is_found_by_listing(world: World):
    world.push(WORKER, Behaviour())
    begun: list[str] = []

    async def in_between(seconds: float) -> None:
        await world.platform.clock.sleep(seconds)

    resources = world.resources(pause=in_between)
    original = world.platform.faults.take

    def first_theirs(method: str, path: str):
        if method == "POST" and path.endswith("/deploys") and not begun:
            hosted = world.hosted(WORKER)
            theirs = deploys.create(world.platform.world, hosted, world.platform.clock.now(), "manual",
                                    commit=hosted.commits[0])  # fmt: skip
            begun.append(theirs.id)
        return original(method, path)

    world.platform.faults.take = first_theirs  # type: ignore[method-assign]  # somebody deploys in between
    told = await world.deploy(WORKER, resources=resources)
    assert begun and told.deploy not in begun
    assert any("queued by Render" in step.what for step in told.steps)
    assert told.verdict == "live_verified", told.markdown()


async def test_a_refusal_of_the_vendor_leaves_nothing_begun(world: World):
    world.push(WEB, Behaviour())
    world.platform.faults.add("status", "POST", "/deploys", status=400, message="build filters")
    with pytest.raises(InvalidInput, match="build filters"):
        await world.deploy(WEB)
    assert (await world.deploy(WEB)).verdict == "live_verified"


async def test_rate_limits_and_outages_in_the_middle_are_waited_out(world: World):
    world.push(WEB, Behaviour())
    world.platform.faults.add("status", "GET", "/deploys/dep-", times=2, skip=3, status=429, retry_after=20)
    world.platform.faults.add("status", "GET", "/deploys/dep-", times=12, status=503)
    world.platform.faults.add("timeout", "GET", "/logs", times=6)
    told = await world.deploy(WEB)
    assert told.verdict == "live_verified", told.markdown()
    assert any("rate limit" in said for said in world.told)
    assert any("times in a row" in said for said in world.told)


async def test_a_small_rate_limit_makes_it_slow_and_not_wrong(world: World):
    world.push(WORKER, Behaviour())
    world.platform.limits.factor = 0.08
    told = await world.deploy(WORKER)
    assert told.verdict == "live_verified", told.markdown()
    assert any("rate limit" in said for said in world.told)


async def test_an_outage_without_end_is_unknown_and_the_next_call_goes_on(world: World):
    world.push(WEB, Behaviour())
    world.platform.faults.add("status", "GET", "/deploys/dep-", times=10_000, skip=4, status=503)
    told = await world.deploy(WEB)
    assert told.verdict == "unknown" and told.deploy
    world.platform.faults.waiting.clear()
    again = await world.deploy(WEB)
    assert (again.verdict, again.deploy) == ("live_verified", told.deploy)
    assert world.asked("POST", "/deploys") == 1


@pytest.mark.parametrize("seconds", [5, 140, 260, 400])
async def test_after_our_own_end_the_next_call_goes_on_with_the_same_deploy(world: World, seconds: float):
    commit = world.push(WEB, Behaviour())
    with pytest.raises(Killed):
        await world.deploy(WEB, resources=ends_at(world, seconds))
    world.platform.clock.advance(120)
    preview = await preview_deploy_service(DeployService(service=WEB), world.resources())
    assert preview.action.startswith("Go on with dep-") and "nothing new is deployed" in preview.action
    told = await world.deploy(WEB)
    assert told.verdict == "live_verified" and world.serving(WEB) == commit.id, told.markdown()
    assert world.asked("POST", "/deploys") == 1
    assert told.before is not None and told.before.requests, "the baseline of before is still known"


async def test_our_end_between_the_note_and_the_request_deploys_once(world: World):
    world.push(WEB, Behaviour())
    take = world.platform.faults.take

    def dies(method: str, path: str):
        if method == "POST" and path.endswith("/deploys"):
            raise Killed
        return take(method, path)

    world.platform.faults.take = dies  # type: ignore[method-assign]  # nothing was sent
    with pytest.raises(Killed):
        await world.deploy(WEB)
    world.platform.faults.take = take  # type: ignore[method-assign]
    told = await world.deploy(WEB)
    assert told.verdict == "live_verified"
    assert [one for one in world.statuses(WEB) if one.startswith("api")] == ["api live"]


@pytest.mark.parametrize("seconds", [330, 420])
async def test_our_end_within_the_rollback_does_not_roll_back_twice(world: World, seconds: float):
    before = world.serving(WEB)
    world.push(WEB, Behaviour(effect=Effect(error_rate=0.2)))
    with pytest.raises(Killed):
        await world.deploy(WEB, rollback_on_regression=True, resources=ends_at(world, seconds))
    world.platform.clock.advance(60)
    told = await world.deploy(WEB, rollback_on_regression=True)
    assert told.verdict == "regressed_rolled_back" and world.serving(WEB) == before, told.markdown()
    assert (world.asked("POST", "/rollback"), world.asked("POST", "/deploys")) == (1, 1)


async def test_without_a_new_yes_an_interrupted_rollback_that_was_not_sent_is_only_proposed(world: World):
    world.push(WEB, Behaviour(effect=Effect(error_rate=0.2)))
    world.platform.faults.add("status", "PATCH", "/services/", times=1, status=503)
    first = await world.deploy(WEB, rollback_on_regression=True)
    assert first.verdict == "regressed_waiting" and world.asked("POST", "/rollback") == 0
    assert "autodeploy" in first.reasons[-1]


async def test_the_answer_to_the_rollback_may_be_lost_too(world: World):
    before = world.serving(WEB)
    world.push(WEB, Behaviour(effect=Effect(error_rate=0.2)))
    world.platform.faults.add("dropped_after", "POST", "/rollback")
    told = await world.deploy(WEB, rollback_on_regression=True)
    assert told.verdict == "regressed_rolled_back" and world.serving(WEB) == before
    assert world.asked("POST", "/rollback") == 1


async def test_a_rollback_that_the_vendor_refuses_waits_for_a_person(world: World):
    world.push(WEB, Behaviour(effect=Effect(error_rate=0.2)))
    world.platform.faults.add("status", "POST", "/rollback", status=400, message="artifact expired")
    told = await world.deploy(WEB, rollback_on_regression=True)
    assert told.verdict == "regressed_waiting" and "artifact expired" in told.reasons[-1]


async def test_another_release_in_between_ends_the_watching(world: World):
    world.push(WEB, Behaviour())
    begun = world.platform.clock.now()

    async def pause(seconds: float) -> None:
        await world.platform.clock.sleep(seconds)
        if (world.platform.clock.now() - begun).total_seconds() > 200 and len(world.statuses(WEB)) == 9:
            world.hosted(WEB).change(world.platform.clock.now(), auto_deploy=True)
            push(world.platform, WEB, "Another one", Behaviour(build_seconds=20))

    told = await world.deploy(WEB, bake_minutes=10, resources=world.resources(pause=pause))
    assert told.verdict == "live_inconclusive" and "went live meanwhile" in told.reasons[0], told.markdown()


async def test_somebody_cancels_it(world: World):
    world.push(WEB, Behaviour())
    begun = world.platform.clock.now()

    async def pause(seconds: float) -> None:
        await world.platform.clock.sleep(seconds)
        late = (world.platform.clock.now() - begun).total_seconds() > 60
        running = [one for one in await render.list_deploys(service) if one.trigger == "api"]
        if late and running[0].status == "build_in_progress":
            await render.cancel_deploy(service, running[0].id)

    service, render = world.hosted(WEB).spec.id, world.resources().render
    told = await world.deploy(WEB, resources=world.resources(pause=pause))
    assert (told.verdict, told.reasons[0]) == ("canceled", "somebody canceled it")
    assert world.remembered() == []


async def test_two_at_once_on_one_service(world: World):
    world.push(WEB, Behaviour())
    slow = asyncio.Event()

    async def pause(seconds: float) -> None:
        slow.set()
        await asyncio.sleep(0.01)
        await world.platform.clock.sleep(seconds)

    first = asyncio.create_task(world.deploy(WEB, resources=world.resources(pause=pause)))
    await slow.wait()
    with pytest.raises(Conflict, match=r"already at work|under way"):
        await world.deploy(WEB)
    assert (await first).verdict == "live_verified"
    assert world.asked("POST", "/deploys") == 1


HOLDER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from tools.render.deploying.lock import exclusive
with exclusive(Path(sys.argv[1]), sys.argv[2], "deploy_service guardian-web", datetime.now(UTC)):
    print("held", flush=True)
    time.sleep(60)
"""


async def test_another_process_holds_the_service_until_it_ends_however_it_ends(world: World):
    world.push(WEB, Behaviour())
    place = journal.folder(world.resources())
    root = Path(__file__).parents[4]
    command = [sys.executable, "-c", HOLDER, str(place), world.hosted(WEB).spec.id]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(Conflict, match=rf"process {other.pid}"):
            await world.deploy(WEB)
        other.kill()
    assert world.changes() == []
    assert (await world.deploy(WEB)).verdict == "live_verified"


async def test_what_cannot_be_noted_is_not_begun(world: World):
    world.push(WEB, Behaviour())
    (world.folder / "state").write_text("a file where a folder should be")
    with pytest.raises(Unavailable, match="cannot be written"):
        await world.deploy(WEB)
    assert world.changes() == []


async def test_a_journal_that_is_no_journal_is_history(world: World):
    world.push(WEB, Behaviour())
    place = journal.folder(world.resources())
    place.mkdir(parents=True)
    (place / f"{world.hosted(WEB).spec.id}.json").write_text('{"service": 1, "half')
    assert (await world.deploy(WEB)).verdict == "live_verified"
