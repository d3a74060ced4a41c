"""remember and recall, through the gate, on a real bank."""

from __future__ import annotations

from typing import Any

import pytest

from agent.approvals import Answer, Decision, Request
from tests.conftest import MakeExecutor

pytestmark = pytest.mark.anyio

LESSON: dict[str, Any] = {
    "title": "profile_grants: index the columns that policies filter by",
    "category": "database-optimizations",
    "action": "create index concurrently on public.profile_grants (grantee_id, status)",
    "result": "p95 of the timeline went from 900 ms to 40 ms, measured with explain analyze",
    "outcome": "worked",
    "table": ["profile_grants"],
}


class Person:
    def __init__(self) -> None:
        self.saw: list[str] = []

    async def __call__(self, request: Request) -> Decision:
        self.saw.append(request.preview.action)
        return Decision(Answer.ONCE, by="person")


async def test_a_lesson_is_asked_kept_and_found_again(make_executor: MakeExecutor):
    person = Person()
    executor = make_executor(asker=person)
    saved = await executor.call("remember", LESSON)
    assert saved.ok, saved.markdown()
    assert "create index concurrently" in person.saw[0]
    found = await executor.call(
        "recall", {"query": "slow timeline profile_grants", "table": ["profile_grants"]}
    )
    assert found.structured()["entries"][0]["title"] == LESSON["title"]
    assert found.structured()["entries"][0]["why"]


async def test_the_same_lesson_again_becomes_an_outcome(make_executor: MakeExecutor):
    executor = make_executor(asker=Person())
    first = await executor.call("remember", LESSON)
    again = await executor.call("remember", {**LESSON, "outcome": "failed", "result": "no change this time"})
    assert again.structured()["merged"] and again.structured()["id"] == first.structured()["id"]


@pytest.mark.parametrize(
    "change",
    [
        {"result": "Jane's address is jane.roe@example.org now"},
        {"action": "set PASSWORD=hunter2-hunter2 in the service"},
        {"context": "patient with SSN 078-05-1120"},
    ],
)
async def test_patients_values_and_secrets_are_not_kept(make_executor: MakeExecutor, change: dict[str, str]):
    executor = make_executor(asker=Person())
    outcome = await executor.call("remember", {**LESSON, **change})
    assert outcome.failure and outcome.failure.kind == "refused"
    assert not any(word in outcome.markdown() for word in ("jane.roe", "hunter2", "078-05"))


async def test_without_a_yes_nothing_is_kept(make_executor: MakeExecutor):
    executor = make_executor()
    assert (await executor.call("remember", LESSON)).failure
    bank = executor.resources.bank
    assert bank.writable and bank.writable.entries() == ()


async def test_the_starter_entries_are_found(make_executor: MakeExecutor):
    outcome = await make_executor().call(
        "recall", {"query": "revoke from public leaves function callable by anon"}
    )
    assert outcome.structured()["entries"], "the starter bank knows this"


async def test_nothing_known_is_said(make_executor: MakeExecutor):
    outcome = await make_executor().call("recall", {"query": "zebra xylophone"})
    assert "nothing" in outcome.markdown()
