"""A whole story: Sergei finds a planted leak, proposes the fix, asks, applies it, shows it gone, remembers.

The model is scripted; everything else is real: SDK, loop, gate, database, rules, memory bank.
"""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

import prompts
from agent.approvals import Answer, Decision, Request
from agent.events import ToolFinished
from agent.loop import Loop
from agent.model import AnthropicModel
from agent.session import Session
from tests.conftest import MakeExecutor
from tests.model_script import Call, Scripted, reply, use
from tests.model_server import model_server
from tools.sandbox import faults
from tools.sandbox.guardian.generate import named_people, planted_values

pytestmark = pytest.mark.anyio

FAULT = "view_reads_as_owner"


class Person:
    """Says yes, and keeps what was shown."""

    def __init__(self) -> None:
        self.saw: list[Request] = []

    async def __call__(self, request: Request) -> Decision:
        self.saw.append(request)
        return Decision(Answer.ONCE, by="person")


async def test_a_leak_is_found_mended_on_approval_and_remembered(
    guardian: str, make_executor: MakeExecutor, tmp_path: Path
):
    fault = faults.fault(FAULT)
    faults.apply(guardian, fault)
    rule = fault.rule or ""
    assert visible_to_a_stranger(guardian, fault.object) > 0, "the planted leak is real"
    fixes: list[str] = []

    def propose(call: Call) -> Scripted:
        """The model reads the finding's fix in the review and proposes exactly that."""
        assert rule in call.text and fault.object in call.text
        block = call.text.split(rule, 1)[1].split("```sql\n", 1)[1].split("```", 1)[0]
        fixes.append(block.strip())
        return reply(
            "Everybody who is signed in reads every family through that view.",
            use("change_sql", {"sql": fixes[0]}),
        )

    def conclude(call: Call) -> Scripted:
        """The second review must be clean before anything is remembered."""
        assert re.search(r"\b0 errors?\b", call.text), call.text
        lesson = {
            "title": f"{fault.object}: views over patients' tables need security_invoker",
            "category": "security-configurations",
            "action": fixes[0],
            "result": f"review_rls no longer reports {rule} on {fault.object}",
            "outcome": "worked",
        }
        return reply("Gone. I keep the lesson.", use("remember", lesson))

    script = [
        reply(
            "I look at the policies and at some rows.",
            use("review_rls", {}),
            use("execute_sql", {"sql": "select * from profiles limit 20"}),
            use("execute_sql", {"sql": "select * from accounts limit 20"}),
            use("execute_sql", {"sql": "select note from clinical_events limit 20"}),
            use("list_activity", {}),
        ),
        propose,
        reply("Applied. I check with the same rule.", use("review_rls", {"only": [rule]})),
        conclude,
        reply("Done."),
    ]
    person = Person()
    executor = make_executor(guardian, asker=person)
    with model_server(script, forbidden=tuple(planted_values(guardian))) as server:
        model = AnthropicModel(api_key="test", model="claude-test", base_url=server.base_url)
        session = Session.create(tmp_path / "sessions", target="demo", model="claude-test")
        loop = Loop(model, executor, session, system=prompts.system_prompt(guardian=True))
        async with aclosing(loop.turn("Review security for the multi-profile system")) as events:
            finished = [event async for event in events if isinstance(event, ToolFinished)]
        await model.aclose()
        session.close()

    failed = [event for event in finished if not event.outcome.ok and event.name != "execute_sql"]
    assert failed == []
    assert [request.tool for request in person.saw] == ["change_sql", "remember"]
    assert fixes[0] in person.saw[0].preview.action, "what was shown is what was proposed"
    assert visible_to_a_stranger(guardian, fault.object) == 0
    bank = executor.resources.bank
    assert bank.writable is not None
    assert [entry.category for entry in bank.writable.entries()] == ["security-configurations"]
    assert executor.audit.verify().problem == ""
    kept = session.path.read_text() + executor.audit.path.read_text()
    assert [value for value in planted_values(guardian) if value in kept] == []
    await executor.resources.database.close()


def visible_to_a_stranger(dsn: str, view: str) -> int:
    """Rows that an account without any profile opened to it sees, measured outside of the product."""
    people, _ = named_people()
    schema, name = view.split(".")
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)",
            [json.dumps(people["stranger"].claims())],
        )
        count = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, name))
        row = connection.execute(count).fetchone()
        connection.rollback()
    return row[0] if row else 0
