"""The loop: a person's words, the model's reply, its tools, and again until the model has nothing to call.

    turn ─▶ user message ─▶ reply ─▶ calls? ─▶ results in one user message ─▶ reply ─▶ … ─▶ TurnFinished
             with what memory                                                  a lesson measured? asked ┘
             knows of this

Whatever ends a turn (an error, a cancelled task, an abandoned generator), what was whole is in the session
and `Session.history` answers the rest, so that the next turn can follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, field
from itertools import groupby
from typing import Any, Final

from agent.context import Circumstances, definitions
from agent.events import (
    Event,
    Notice,
    TextChunk,
    ThinkingChunk,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    UsageReport,
)
from agent.executor import Executor, Failure, Outcome
from agent.messages import (
    DECLINED,
    NOT_RUN,
    STOPPED,
    Block,
    Model,
    ModelRequest,
    Reply,
    Retrying,
    TextDelta,
    ThinkingDelta,
    ToolUse,
    encodable,
    result,
)
from agent.offering import TOOL, Lessons
from agent.session import Session
from tools.errors import InvalidInput, RemoteError
from tools.registry import Effect

_NOTICES: Final = {
    "max_tokens": "The reply was cut off at its token limit; say continue to go on.",
    "model_context_window_exceeded": "The conversation fills the model's window: start a new one.",
    "refusal": "The model declined to answer; say it differently, or start a new conversation.",
}


@dataclass(slots=True)
class Loop:
    """One conversation between a person, a model and the gate. One turn at a time.

    `model` may be exchanged between turns. `max_steps` is how many requests one turn may make.
    """

    model: Model
    executor: Executor
    session: Session
    _: KW_ONLY
    system: str
    max_steps: int = 50
    _tools: Sequence[Mapping[str, Any]] = field(init=False)
    _circumstances: Circumstances = field(init=False, default_factory=Circumstances)
    _lessons: Lessons = field(init=False, default_factory=Lessons)

    def __post_init__(self) -> None:
        self._tools = definitions(self.executor.catalogue)

    async def turn(self, text: str) -> AsyncGenerator[Event, None]:
        """Run one turn; blank `text` takes up one that failed. Close it (aclosing) if not read to its end.

        Raises what Model.stream raises, InvalidInput for blank text with nothing to take up, and Unavailable
        when the session cannot be saved. Cancel the task that reads it to stop.
        """
        async with aclosing(self._begin(text)) as events:
            async for event in events:
                yield event
        total = UsageReport()
        for _ in range(self.max_steps):
            reply: Reply | None = None
            async with aclosing(self._ask()) as events:
                async for event in events:
                    if isinstance(event, Reply):
                        reply = event
                    else:
                        yield event
            if reply is None:
                raise RemoteError(f"{self.model.name} ended its stream without a reply.")
            total += reply.usage
            runs = reply.stop_reason in ("tool_use", "pause_turn")
            self._record(reply, runs=runs)
            yield reply.usage
            if (notice := _NOTICES.get(reply.stop_reason)) is not None:
                yield Notice(f"{notice} {reply.detail}".strip())
            if not runs or (not reply.calls and reply.stop_reason == "tool_use"):
                if reply.stop_reason == "end_turn":
                    async with aclosing(self._offer()) as events:
                        async for event in events:
                            yield event
                yield TurnFinished(reply.stop_reason, total)
                return
            async with aclosing(self._run(reply.calls)) as events:
                async for event in events:
                    yield event
        yield Notice(f"Stopped after {self.max_steps} steps; say continue to go on.")
        yield TurnFinished("max_steps", total)

    async def _begin(self, text: str) -> AsyncGenerator[Event, None]:
        """Put the person's words into the history, without what must not leave, and what memory knows."""
        written = encodable(text)
        safe = self.executor.redactor.text(written)
        told: Sequence[Event] = ()
        if safe.strip():
            texts, told = await self._circumstances.of(self.executor, safe)
            content: list[Block] = [{"type": "text", "text": text} for text in (*texts, safe)]
            self.session.append("user", content)
        elif not (history := self.session.history()) or history[-1]["role"] != "user":
            raise InvalidInput("There is nothing to send.", hint="Type a question.")
        yield TurnStarted(safe)
        for event in told:
            yield event
        if safe != written:
            yield Notice("What looks like a secret or a person's identifier was replaced before it was sent.")

    async def _offer(self) -> AsyncGenerator[Event, None]:
        """Ask whether what was measured may be kept. The model hears of it with the next words."""
        arguments = self._lessons.offer(self.executor)
        if arguments is None:
            return
        yield Notice("This was measured before and after a change; you are asked whether to remember it.")
        call = ToolUse(f"lesson_{len(self.session.messages)}", TOOL, arguments)
        outcomes: dict[str, Outcome] = {}
        async with aclosing(self._together([call], outcomes)) as events:
            async for event in events:
                yield event
        said = "kept in memory after a yes" if outcomes[call.id].ok else "offered for memory and not kept"
        self._circumstances.aside = f"lesson {said}: {arguments['title']}"

    async def _ask(self) -> AsyncGenerator[Event | Reply, None]:
        """One request. When it is stopped half-way, what was said so far stays in the history."""
        said = ""
        request = ModelRequest(self.system, self._tools, self.session.history())
        try:
            async with aclosing(self.model.stream(request)) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        said += event.text
                        yield TextChunk(event.text)
                    elif isinstance(event, ThinkingDelta):
                        yield ThinkingChunk(event.text)
                    elif isinstance(event, Retrying):
                        yield Notice(f"{event.reason} Trying again in {event.seconds:.1f} s.")
                    else:
                        yield event
                        return
        except (asyncio.CancelledError, GeneratorExit):
            self.session.append("assistant", [{"type": "text", "text": f"{said}\n{STOPPED}".strip()}])
            raise

    def _record(self, reply: Reply, *, runs: bool) -> None:
        """The reply into the history. Calls of a reply that was cut off are answered, not run."""
        if reply.stop_reason == "refusal":
            self.session.append("assistant", [{"type": "text", "text": DECLINED}])
            return
        self.session.append("assistant", reply.content)
        if not runs:
            self.session.append("user", [result(call.id, NOT_RUN, failed=True) for call in reply.calls])

    async def _run(self, calls: Sequence[ToolUse]) -> AsyncGenerator[Event, None]:
        """Run the calls and put their results, in the order of the calls, into one user message."""
        outcomes: dict[str, Outcome] = {}
        try:
            for group in self._groups(calls):
                async with aclosing(self._together(group, outcomes)) as events:
                    async for event in events:
                        yield event
        finally:
            done = [(call.id, outcomes[call.id]) for call in calls if call.id in outcomes]
            results = [result(name, outcome.fenced(), failed=not outcome.ok) for name, outcome in done]
            self.session.append("user", results)  # history answers those that were interrupted

    def _groups(self, calls: Sequence[ToolUse]) -> Iterator[Sequence[ToolUse]]:
        """Neighbouring reads run together; a change waits for what comes before it and runs alone."""
        for reads, group in groupby(calls, self._reads):
            neighbours = list(group)
            yield from [neighbours] if reads else ([call] for call in neighbours)

    def _reads(self, call: ToolUse) -> bool:
        tool = self.executor.catalogue.get(call.name)
        return tool is None or tool.effect is Effect.READ

    async def _together(
        self, calls: Sequence[ToolUse], outcomes: dict[str, Outcome]
    ) -> AsyncGenerator[Event, None]:
        async def run(call: ToolUse) -> ToolUse:
            if call.problem:
                failure = Failure("invalid_input", call.problem, "", "", retry=True, exit_code=2)
                outcomes[call.id] = Outcome("", call.name, None, failure, 0.0)
            else:
                outcome = outcomes[call.id] = await self.executor.call(call.name, call.input)
                self._lessons.note(self.executor, call.name, call.input, outcome)
            return call

        for call in calls:
            yield ToolStarted(call.id, call.name, call.input)
        pending = {asyncio.create_task(run(call)) for call in calls}
        try:
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for call in (task.result() for task in done):
                    yield ToolFinished(call.id, call.name, outcomes[call.id])
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)  # the gate records that they were stopped
