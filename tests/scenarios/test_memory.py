"""An incident is solved, its lesson is offered and kept, and the next conversation begins with it.

The model is scripted and never calls `remember` or `recall`; loop, gate, database, rules and bank are real.
"""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import pytest

import prompts
from agent.approvals import Answer, Decision, Request
from agent.events import Event, Remembered
from agent.executor import Executor
from agent.loop import Loop
from agent.model import AnthropicModel
from agent.session import Session
from tests.conftest import MakeExecutor
from tests.model_script import Call, Scripted, reply, use
from tests.model_server import Script, model_server
from tools.sandbox import faults
from tools.sandbox.guardian.generate import planted_values

pytestmark = pytest.mark.anyio

FAULT = "view_reads_as_owner"


class Person:
    """Says yes to everything, and keeps what was shown."""

    def __init__(self) -> None:
        self.saw: list[Request] = []

    async def __call__(self, request: Request) -> Decision:
        self.saw.append(request)
        return Decision(Answer.ONCE, by="person")


async def converse(
    script: Script, executor: Executor, folder: Path, words: str, forbidden: tuple[str, ...]
) -> list[Event]:
    """One conversation of one turn."""
    with model_server(script, forbidden=forbidden) as server:
        model = AnthropicModel(api_key="test", model="claude-test", base_url=server.base_url)
        session = Session.create(folder, target="demo", model="claude-test")
        loop = Loop(model, executor, session, system=prompts.system_prompt(guardian=True))
        async with aclosing(loop.turn(words)) as events:
            seen = [event async for event in events]
        await model.aclose()
        session.close()
    return seen


async def test_a_solved_incident_is_kept_after_a_yes_and_comes_to_mind_the_next_time(
    guardian: str, make_executor: MakeExecutor, tmp_path: Path
):
    fault = faults.fault(FAULT)
    faults.apply(guardian, fault)
    rule, view = fault.rule or "", fault.object.partition(".")[2]
    fixes: list[str] = []

    def mend(call: Call) -> Scripted:
        block = call.text.split(rule, 1)[1].split("```sql\n", 1)[1].split("```", 1)[0]
        fixes.append(block.strip())
        return reply(use("change_sql", {"sql": fixes[0]}))

    first: Script = [
        reply(use("review_rls", {})),
        mend,
        reply(use("review_rls", {"only": [rule]})),
        reply("The view no longer reads as its owner."),
    ]
    person = Person()
    executor = make_executor(guardian, asker=person)
    values = tuple(planted_values(guardian))
    await converse(first, executor, tmp_path / "sessions", "Strangers see records. Find out why.", values)

    assert [request.tool for request in person.saw] == ["change_sql", "remember"]
    shown = person.saw[1].preview.action
    assert fixes[0] in shown and f"{rule} on {fault.object}" in shown and "review_rls, change_sql" in shown
    assert executor.resources.bank.writable is not None
    (entry,) = executor.resources.bank.writable.entries()
    assert (entry.category, entry.outcomes[0].result) == ("security-configurations", "worked")
    assert entry.action == fixes[0] and rule in entry.tags

    def remembering(call: Call) -> Scripted:
        texts = [block["text"] for block in call.messages[-1]["content"]]
        memory = next(text for text in texts if text.startswith("<memory id="))
        assert entry.title in memory and fixes[0].split()[0] in memory
        assert texts[-1].startswith("Is"), "memory stands in front of the words"
        return reply("It was mended before; I look whether that still holds.")

    seen = await converse(
        [remembering], make_executor(guardian), tmp_path / "sessions", f"Is {view} safe to read?", values
    )
    (told,) = [event for event in seen if isinstance(event, Remembered)]
    assert told.titles[0] == entry.title
    await executor.resources.database.close()
