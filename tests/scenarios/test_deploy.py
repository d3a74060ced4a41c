"""The words 'deploy the latest document processing changes', to the proof; and when it goes wrong.

The model is scripted; loop, gate, tools, clients and memory are real, on the simulated platform.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

import prompts
from agent.approvals import Answer, Approvals, Decision, Mode, Request
from agent.audit import AuditLog
from agent.events import ToolFinished
from agent.executor import Executor
from agent.loop import Loop
from agent.model import AnthropicModel
from agent.session import Session
from tests.model_script import Call, Scripted, reply, use
from tests.model_server import Script, model_server
from tests.tools.render.deploying.world import WEB, WORKER, Checkout, World
from tools import catalogue
from tools.redaction import Redactor
from tools.resources import Resources
from tools.sandbox.platform import Behaviour, Effect, Line, push
from tools.sandbox.platform.failures import out_of_memory
from tools.sandbox.platform.people import FIRST, LAST

pytestmark = pytest.mark.anyio
WORDS = "Sergei, deploy the latest document processing changes"
NOBODY = (*FIRST, *LAST)


class Person:
    """Answers the same to everything, and keeps what was shown."""

    def __init__(self, answer: Answer = Answer.ONCE) -> None:
        self.answer, self.saw = answer, list[Request]()

    async def __call__(self, request: Request) -> Decision:
        self.saw.append(request)
        return Decision(self.answer, by="person", reason="not today" if self.answer is Answer.DENY else "")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Guardian's services: two commits of the document worker wait to be deployed."""
    return World(tmp_path)


def gate(
    world: World, person: Person | None, mode: Mode = Mode.ACT, resources: Resources | None = None
) -> Executor:
    """The real gate over the simulated platform."""
    return Executor(
        catalogue(),
        resources or world.resources(),
        approvals=Approvals(mode, person),
        redactor=Redactor(strict=True),
        audit=AuditLog.open(world.folder / "audit.jsonl", face="test"),
    )


async def converse(
    world: World, executor: Executor, script: Script, words: str = WORDS
) -> list[ToolFinished]:
    """One turn; no patient's name may reach the model."""
    with model_server(script, forbidden=NOBODY) as server:
        model = AnthropicModel(api_key="test", model="claude-test", base_url=server.base_url)
        session = Session.create(world.folder / "sessions", target="render", model="claude-test")
        loop = Loop(model, executor, session, system=prompts.system_prompt(guardian=True))
        async with aclosing(loop.turn(words)) as events:
            finished = [event async for event in events if isinstance(event, ToolFinished)]
        await model.aclose()
        session.close()
    return finished


def deploying(*expected: str, **arguments: object) -> Script:
    """The model looks for the service, deploys it, and concludes from the words of the result."""

    def find(call: Call) -> Scripted:
        assert WORKER in call.text
        return reply("The document worker.", use("deploy_service", {"service": WORKER, **arguments}))

    def conclude(call: Call) -> Scripted:
        for words in expected:
            assert words in call.text, call.text
        return reply("That is how it went.")

    return [reply("I look which service that is.", use("list_services", {})), find, conclude]


async def test_the_latest_changes_are_deployed_after_a_yes_and_proven(world: World):
    checkout = Checkout.of(world, WORKER)
    sha = checkout.commit("Document normalizer: units of blood panels", {"src/units.ts": "export {}\n"})
    person = Person()
    finished = await converse(world, gate(world, person), deploying("**live_verified**", sha[:12]))
    assert [event.outcome.ok for event in finished] == [True, True]
    (request,) = person.saw
    assert f'commit {sha} "Document normalizer: units of blood panels"' in request.preview.action
    assert "workspace Guardian" in request.preview.target and request.preview.undo
    assert world.serving(WORKER) == sha
    assert world.changes() == [f"POST /v1/services/{world.hosted(WORKER).spec.id}/deploys"]
    assert world.remembered()[0].applies_to["service"] == (WORKER,)


async def test_when_a_person_says_no_nothing_happened(world: World):
    before, statuses = world.serving(WORKER), world.statuses(WORKER)
    person = Person(Answer.DENY)
    finished = await converse(world, gate(world, person), deploying("said no", "not today"))
    assert len(person.saw) == 1 and not finished[-1].outcome.ok
    world.platform.clock.advance(3600)
    assert world.changes() == [] and world.statuses(WORKER) == statuses and world.serving(WORKER) == before
    assert world.remembered() == [] and not list((world.folder / "state").rglob("*.json"))


@pytest.mark.parametrize("tool", ["deploy_service", "rollback_service"])
async def test_investigate_mode_refuses_without_asking(world: World, tool: str):
    person = Person()

    def conclude(call: Call) -> Scripted:
        assert "investigate mode" in call.text
        return reply("So be it.")

    script: Script = [reply(use(tool, {"service": WORKER})), conclude]
    finished = await converse(world, gate(world, person, Mode.INVESTIGATE), script)
    assert finished[-1].outcome.failure is not None and finished[-1].outcome.failure.kind == "refused"
    assert person.saw == [] and world.changes() == []


async def test_nobody_to_ask_means_no(world: World):
    finished = await converse(world, gate(world, None), deploying("nobody is here to ask"))
    assert not finished[-1].outcome.ok and world.changes() == []


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (
            Behaviour(build="fails", build_lines=("npm error code ERESOLVE",)),
            ("**failed_build**", "still serves", "lock file"),
        ),
        (Behaviour(needs=("NORMALIZER_URL",)), ("**failed_update**", "Set NORMALIZER_URL", "still serves")),
    ],
)
async def test_what_does_not_come_up_is_explained_and_the_old_release_serves(
    world: World, behaviour: Behaviour, expected: tuple[str, ...]
):
    before = world.serving(WORKER)
    world.push(WORKER, behaviour)
    await converse(world, gate(world, Person()), deploying(*expected))
    assert world.serving(WORKER) == before and world.asked("POST", "/rollback") == 0


BAD = Behaviour(
    effect=Effect(
        crash_every=140,
        crash=out_of_memory("4Gi"),
        lines=(Line("error extract failed patient={patient} dob={dob}", 6.0),),
        last_words=("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",),
    )
)


async def test_a_bad_release_is_taken_back_as_approved_in_the_question(world: World):
    before = world.serving(WORKER)
    world.push(WORKER, BAD)
    person = Person()
    expected = ("**regressed_rolled_back**", "out of memory (limit 4Gi)", "does not undo", "stays off")
    await converse(world, gate(world, person), deploying(*expected, rollback_on_regression=True))
    (request,) = person.saw
    assert "roll back to" in request.preview.action and "without asking again" in request.preview.action
    assert world.serving(WORKER) == before and world.asked("POST", "/rollback") == 1


async def test_a_bad_release_is_proposed_to_be_taken_back_and_that_is_asked_too(world: World):
    before = world.serving(WORKER)
    world.push(WORKER, BAD)
    person = Person()

    def propose(call: Call) -> Scripted:
        assert "**regressed_waiting**" in call.text and "rollback_service" in call.text
        return reply("It is bad. I propose to go back.", use("rollback_service", {"service": WORKER}))

    def conclude(call: Call) -> Scripted:
        assert "**back_verified**" in call.text, call.text
        return reply("The old release serves again.")

    script = [
        reply(use("deploy_service", {"service": WORKER})),
        propose,
        conclude,
    ]
    await converse(world, gate(world, person), script)
    assert [request.tool for request in person.saw] == ["deploy_service", "rollback_service"]
    assert world.serving(WORKER) == before
    assert world.hosted(WORKER).spec.auto_deploy is False


async def test_a_bake_without_traffic_is_told_as_not_known(world: World):
    hosted = world.hosted(WEB)
    hosted.profile = replace(hosted.profile, per_minute=2.0)
    world.push(WEB, Behaviour())

    def conclude(call: Call) -> Scripted:
        assert "**live_inconclusive**" in call.text and "nobody can say yet" in call.text
        return reply("It is live; whether it is good cannot be said yet.")

    await converse(world, gate(world, Person()), [reply(use("deploy_service", {"service": WEB})), conclude])


async def test_limits_lost_answers_and_outages_on_the_way(world: World):
    world.push(WORKER, Behaviour())
    world.platform.faults.add("dropped_after", "POST", "/deploys")
    world.platform.faults.add("status", "GET", "/deploys/dep-", times=3, skip=2, status=429, retry_after=15)
    world.platform.faults.add("status", "GET", "/deploys/dep-", times=4, status=502)
    await converse(world, gate(world, Person()), deploying("**live_verified**"))
    assert world.asked("POST", "/deploys") == 1


class Ended(BaseException):
    """Our own end."""


async def test_after_our_own_end_a_new_session_goes_on_with_the_same_deploy(world: World):
    world.push(WORKER, Behaviour())
    begun = world.platform.clock.now()

    async def pause(seconds: float) -> None:
        await world.platform.clock.sleep(seconds)
        if (world.platform.clock.now() - begun).total_seconds() > 75:
            raise Ended

    first = gate(world, Person(), resources=world.resources(pause=pause))
    with pytest.raises(Ended):
        await first.call("deploy_service", {"service": WORKER})
    person = Person()
    await converse(world, gate(world, person), deploying("**live_verified**", "going on with"))
    assert "nothing new is deployed" in person.saw[0].preview.action
    assert world.asked("POST", "/deploys") == 1


async def test_a_suspended_service_and_one_in_the_middle_of_a_deploy_are_not_asked_about(world: World):
    person = Person()
    executor = gate(world, person)
    world.hosted(WORKER).change(world.platform.clock.now(), suspenders=("user",))
    suspended = await executor.call("deploy_service", {"service": WORKER})
    assert suspended.failure is not None and "suspended" in suspended.failure.message
    world.hosted(WEB).change(world.platform.clock.now(), auto_deploy=True)
    push(world.platform, WEB, "Pushed by somebody")
    running = await executor.call("deploy_service", {"service": WEB})
    assert running.failure is not None and running.failure.kind == "conflict"
    assert "under way" in running.failure.message and "new_commit" in running.failure.message
    assert person.saw == [] and world.changes() == []


async def test_a_push_while_a_person_reads_asks_again(world: World):
    checkout = Checkout.of(world, WORKER)
    shown = checkout.commit("Shown", {"src/a.ts": "export const a = 1\n"})

    class Slow(Person):
        async def __call__(self, request: Request) -> Decision:
            checkout.commit("Pushed meanwhile", {"src/a.ts": "export const a = 2\n"})
            return await super().__call__(request)

    person = Slow()
    outcome = await gate(world, person).call("deploy_service", {"service": WORKER})
    assert shown in person.saw[0].preview.action
    assert outcome.failure is not None and outcome.failure.kind == "conflict" and world.changes() == []


async def test_what_failed_before_is_told_in_the_next_question(world: World):
    world.push(WORKER, Behaviour(needs=("NORMALIZER_URL",)))
    person = Person()
    executor = gate(world, person)
    await executor.call("deploy_service", {"service": WORKER})
    await executor.call("deploy_service", {"service": WORKER})
    assert person.saw[0].warnings == ()
    assert "NORMALIZER_URL" in " ".join(person.saw[1].warnings)
