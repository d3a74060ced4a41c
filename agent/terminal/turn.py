"""One turn on the screen: what the loop tells, as lines and blocks."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from rich.text import Text

from agent.events import Notice, Remembered, TextChunk, ThinkingChunk, ToolFinished, ToolStarted, UsageReport
from agent.executor import Outcome
from agent.loop import Loop
from agent.terminal.blocks import Blocks
from agent.terminal.calls import duration, fit, summary
from agent.terminal.conversation import Conversation, Shown
from agent.terminal.markdown import as_json
from agent.terminal.safe import one_line
from agent.terminal.slash import ToolCall
from tools.errors import SergeiError


async def take_turn(talk: Conversation, loop: Loop, text: str) -> None:
    """Run a turn (blank text: the failed one again). An error is one red sentence and ends only the turn."""
    talk.failed = False
    try:
        if await talk.interrupts.run(_show(talk, loop, text)):
            return
        talk.screen.note("Stopped. What was said and done so far is kept.")
    except SergeiError as error:
        code = f" [{error.code}]" if error.code else ""
        talk.screen.error(f"{error.message}{code} {error.hint}".rstrip())
        history = talk.session.history()
        talk.failed = bool(history) and history[-1]["role"] == "user"
        if talk.failed:
            talk.screen.note("Press Enter (or /retry) to take it up again.")


async def run_tool(talk: Conversation, call: ToolCall) -> None:
    """A tool that the person runs; the model does not see it."""
    screen = talk.screen

    async def work() -> None:
        before = screen.waited
        async with screen.busy(f"{call.tool} {summary(call.arguments)}"):
            outcome = await talk.house.executor.call(call.tool, call.arguments)
        show_call(talk, call.tool, call.arguments, outcome, waited=screen.waited - before)
        if call.as_json:
            screen.draw(as_json(outcome.structured()))
        elif outcome.ok:
            screen.block(outcome.markdown())

    if not await talk.interrupts.run(work()):
        screen.note("Stopped.")


def show_call(
    talk: Conversation, name: str, arguments: Mapping[str, Any], outcome: Outcome, *, waited: float
) -> None:
    """One line for a finished call, a second one with the reason when it failed.

    `waited` is how many of its seconds a person took to answer.
    """
    shown = talk.note_call(name, arguments, outcome)
    screen = talk.screen
    end = f"  {duration(max(outcome.seconds - waited, 0))}  /show {shown.number}"
    words = fit(summary(arguments), screen.width - len(name) - len(end) - 4)
    mark, style = ("● ", "green") if outcome.ok else ("✗ ", "red")
    line = Text.assemble((mark, style), (one_line(name), "bold"), " ", words, (end, "dim"))
    screen.gap(between="call")
    screen.line(line, kind="call")
    if outcome.failure is not None:
        screen.hanging([f"  {outcome.failure.sentence()}"], 2, "red", kind="call")


def show_result(talk: Conversation, shown: Shown) -> None:
    """The whole call: its arguments and what came of it."""
    if shown.arguments:
        talk.screen.line(shown.name, "bold")
        talk.screen.draw(as_json(shown.arguments))
    talk.screen.block(shown.outcome.markdown())


class _Reply:
    """The reply's text on its way to the screen."""

    def __init__(self, talk: Conversation) -> None:
        self.blocks = Blocks()
        self.screen = talk.screen

    def add(self, chunk: str) -> None:
        """Draw what this chunk finished; the rest shows as a sign of life."""
        for block in self.blocks.feed(chunk):
            self.screen.block(block)
        self.screen.doing(one_line(self.blocks.tail) or "…", restart=True)

    def end(self) -> None:
        """Draw what is left."""
        if rest := self.blocks.rest():
            self.screen.block(rest)


async def _show(talk: Conversation, loop: Loop, text: str) -> None:
    reply, screen = _Reply(talk), talk.screen
    running: dict[str, ToolStarted] = {}
    asked = screen.waited
    async with screen.busy("thinking"), aclosing(loop.turn(text)) as events:
        try:
            async for event in events:
                match event:
                    case TextChunk():
                        reply.add(event.text)
                        continue
                    case ThinkingChunk():
                        continue
                    case Remembered():
                        screen.note(f"remembers: {one_line('; '.join(event.titles))}")
                    case ToolStarted():
                        if not running:
                            reply.end()
                            asked = screen.waited  # a change runs alone: what is waited is for it
                        running[event.call_id] = event
                    case ToolFinished():
                        begun = running.pop(event.call_id)
                        waited = screen.waited - asked
                        show_call(talk, event.name, begun.arguments, event.outcome, waited=waited)
                    case UsageReport():
                        reply.end()
                        talk.total += event
                        talk.context = event.context
                    case Notice():
                        reply.end()
                        screen.line(event.text, "yellow")
                    case _:
                        pass
                screen.doing(_running(running) or "thinking", restart=not running)
        finally:
            reply.end()


def _running(calls: Mapping[str, ToolStarted]) -> str:
    return ", ".join(f"{call.name} {summary(call.arguments)}".strip() for call in calls.values())
