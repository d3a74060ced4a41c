"""A conversation with a scripted model: a real loop, a real gate, the real SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.approvals import Approvals, Asker, Mode
from agent.audit import AuditLog
from agent.events import Event
from agent.executor import Executor
from agent.loop import Loop
from agent.model import AnthropicModel
from agent.session import Session
from tests.agent.memory_person import Person
from tests.model_server import ModelServer, Script, model_server
from tools.redaction import Redactor
from tools.registry import Effect, Params, Preview, Result, Tool, tool
from tools.resources import Resources


class Word(Params):
    word: str


class Heard(Result):
    word: str


async def _preview(params: Word, resources: Resources) -> Preview:
    return Preview(action=f"carve {params.word}", target="stone")


@dataclass
class Stage:
    """Three tools, and what happened in them. `meet` ends when two of them are in the room at once."""

    log: list[str] = field(default_factory=list[str])
    room: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(2))
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    def tools(self) -> dict[str, Tool]:
        """The tools by name, in an order that is not the alphabet's."""

        @tool(Effect.READ)
        async def meet(params: Word, resources: Resources) -> Heard:
            """Wait for another one."""
            await self.room.wait()
            self.log.append(f"met {params.word}")
            return Heard(word=params.word)

        @tool(Effect.READ)
        async def echo(params: Word, resources: Resources) -> Heard:
            """Say a word back."""
            self.log.append(f"echo {params.word}")
            return Heard(word=params.word)

        @tool(Effect.READ)
        async def hang(params: Word, resources: Resources) -> Heard:
            """Never come back."""
            self.waiting.set()
            await asyncio.Event().wait()
            return Heard(word=params.word)

        @tool(Effect.WRITE, preview=_preview)
        async def carve(params: Word, resources: Resources) -> Heard:
            """Carve a word into stone."""
            self.log.append(f"carve {params.word} begins")
            await asyncio.sleep(0)
            self.log.append(f"carve {params.word} ends")
            return Heard(word=params.word)

        return {made.name: made for made in (meet, echo, hang, carve)}


@dataclass
class Talk:
    """One conversation and everything around it."""

    server: ModelServer
    loop: Loop
    stage: Stage

    @property
    def session(self) -> Session:
        """The conversation's session."""
        return self.loop.session

    async def say(self, text: str) -> list[Event]:
        """A whole turn."""
        async with aclosing(self.loop.turn(text)) as events:
            return [event async for event in events]

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The messages of the last request."""
        return self.server.calls[-1].messages


@pytest.fixture
def serve() -> Iterator[Callable[..., ModelServer]]:
    """`serve(script, forbidden=...)`: a model server, checked at the end of the test."""
    with ExitStack() as stack:

        def begin(script: Script, *, forbidden: Sequence[str] = ()) -> ModelServer:
            return stack.enter_context(model_server(script, forbidden=forbidden))

        yield begin


@pytest.fixture
async def talk(serve: Callable[..., ModelServer], tmp_path: Path) -> AsyncIterator[Callable[..., Talk]]:
    """`talk(script, asker=None, max_steps=50, session=None, forbidden=())`: a conversation."""
    models: list[AnthropicModel] = []

    def begin(
        script: Script,
        *,
        asker: Asker | None = None,
        max_steps: int = 50,
        session: Session | None = None,
        forbidden: tuple[str, ...] = (),
    ) -> Talk:
        server = serve(script, forbidden=forbidden)
        model = AnthropicModel(api_key="test", model="scripted", base_url=server.base_url, max_retries=1)
        models.append(model)
        stage = Stage()
        executor = Executor(
            stage.tools(),
            Resources(),
            approvals=Approvals(Mode.ACT, asker),
            redactor=Redactor(),
            audit=AuditLog.open(tmp_path / "audit.jsonl", face="test"),
        )
        held = session or Session.create(tmp_path / "sessions", target="nowhere", model=model.name)
        return Talk(server, Loop(model, executor, held, system="You are Sergei.", max_steps=max_steps), stage)

    yield begin
    for model in models:
        await model.aclose()


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    """Somebody in an empty workspace, with no settings but a state folder and a width of the terminal."""
    workspace = tmp_path / "work"
    workspace.mkdir()
    monkeypatch.chdir(workspace)
    for name in ("SERGEI_MEMORY", "VISUAL", "EDITOR", "SERGEI_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SERGEI_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SERGEI_DATA_DIR", str(tmp_path / "data"))
    return Person(workspace, tmp_path / "state", monkeypatch, capsys)
