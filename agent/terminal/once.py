"""`sergei chat -p`: one question, its answer on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

from agent.commands.progress import progress_line
from agent.compose import Choice, open_house
from agent.events import (
    Event,
    Notice,
    Remembered,
    TextChunk,
    ThinkingChunk,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    UsageReport,
)
from agent.settings import Settings
from agent.terminal.ask import terminal_asker
from agent.terminal.opening import Opening, open_loop, open_model, open_session
from agent.terminal.safe import harmless
from tools.errors import SergeiError

_ENDS: Final = {"end_turn": 0, "stop_sequence": 0, "refusal": 4}
"""Exit codes; any other end means that the answer is not whole: 3."""


class Form(Protocol):
    """How the answer is written."""

    def show(self, event: Event) -> None:
        """Take the next event in."""
        ...

    def fail(self, error: SergeiError) -> None:
        """The turn ended with an error, which is also said on stderr."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


async def once(settings: Settings, choice: Choice, opening: Opening, question: str, output: str) -> int:
    """Ask, print, end. The exit code: 0, 3 when the answer is not whole, 4 when the model declined."""
    with progress_line() as progress:
        return await _once(settings, choice, opening, question, output, progress)


async def _once(
    settings: Settings,
    choice: Choice,
    opening: Opening,
    question: str,
    output: str,
    progress: Callable[[str], None],
) -> int:
    asker = terminal_asker(color=settings.color)
    async with open_house(
        settings, choice, face="terminal", mode=opening.mode, asker=asker, progress=progress
    ) as house:
        model = open_model(settings, opening.model)
        session = open_session(house, opening, model.name)
        forms: dict[str, type[AsText | AsJson | AsLines]] = {"json": AsJson, "stream-json": AsLines}
        form: Form = forms.get(output, AsText)(session.meta.id)
        loop = open_loop(house, model, session, opening.max_turns)
        reason = ""
        try:
            async with aclosing(loop.turn(question)) as events:
                async for event in events:
                    form.show(event)
                    reason = event.stop_reason if isinstance(event, TurnFinished) else reason
        except SergeiError as error:
            form.fail(error)
            raise
        finally:
            form.close()
            session.close()
            await model.aclose()
    return _ENDS.get(reason, 3)


class AsText:
    """The reply as it streams; one line a call on stderr."""

    def __init__(self, session: str) -> None:
        self._last = ""
        self._apart = False

    def show(self, event: Event) -> None:
        """Write the event."""
        match event:
            case TextChunk():
                self._write(harmless(event.text))
            case ToolFinished():
                self.close()
                self._apart = True
                self._aside(_told(event))
            case Notice():
                self.close()
                self._aside(event.text)
            case Remembered():
                self._aside(f"[remembers: {'; '.join(event.titles)}]")
            case _:
                pass

    def fail(self, error: SergeiError) -> None:
        """Nothing more than what stderr says."""

    def close(self) -> None:
        """End the last line."""
        if self._last not in ("", "\n"):
            print(flush=True)
            self._last = "\n"

    def _write(self, text: str) -> None:
        """The next piece; what is said after a tool call is a paragraph of its own."""
        if self._apart and text.strip():
            self._apart = False
            text = f"\n{text}" if self._last else text
        print(text, end="", flush=True)
        self._last = text[-1:] or self._last

    @staticmethod
    def _aside(text: str) -> None:
        print(harmless(text), file=sys.stderr, flush=True)


@dataclass(slots=True)
class AsJson:
    """One document at the end."""

    session: str
    text: str = ""
    tools: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    usage: UsageReport = field(default_factory=UsageReport)
    stop_reason: str = "error"
    notices: list[str] = field(default_factory=list[str])
    remembered: list[str] = field(default_factory=list[str])
    error: dict[str, Any] | None = None

    def show(self, event: Event) -> None:
        """Remember the event."""
        match event:
            case TextChunk():
                self.text += event.text
            case ToolStarted() if self.text and not self.text.endswith("\n\n"):
                self.text += "\n\n"
            case ToolFinished():
                self.tools.append(_finished(event))
            case UsageReport():
                self.usage += event
            case Notice():
                self.notices.append(event.text)
            case Remembered():
                self.remembered += event.titles
            case TurnFinished():
                self.stop_reason = event.stop_reason
            case _:
                pass

    def fail(self, error: SergeiError) -> None:
        """The document says why it is not whole."""
        self.error = _error(error)

    def close(self) -> None:
        """Print the document."""
        document = {
            "text": self.text.strip(),
            "tools": self.tools,
            "usage": asdict(self.usage),
            "session": self.session,
            "stop_reason": self.stop_reason,
            "notices": self.notices,
            "remembered": self.remembered,
        }
        _emit(document | ({"error": self.error} if self.error else {}), indent=2)


class AsLines:
    """A JSON object a line for each event, as it happens; `type` says which."""

    def __init__(self, session: str) -> None:
        self._session = session

    def show(self, event: Event) -> None:
        """Print the event."""
        _emit(self._fields(event))

    def fail(self, error: SergeiError) -> None:
        """A last line of type error."""
        _emit({"type": "error", **_error(error)})

    def close(self) -> None:
        """Every event is written already."""

    def _fields(self, event: Event) -> Mapping[str, Any]:
        match event:
            case TurnStarted():
                return {"type": "turn_started", "session": self._session, "text": event.text}
            case Remembered():
                return {"type": "remembered", "titles": list(event.titles)}
            case TextChunk():
                return {"type": "text", "text": event.text}
            case ThinkingChunk():
                return {"type": "thinking", "text": event.text}
            case ToolStarted():
                call = {"id": event.call_id, "name": event.name, "arguments": dict(event.arguments)}
                return {"type": "tool_started", **call}
            case ToolFinished():
                result = event.outcome.structured()
                return {"type": "tool_finished", "id": event.call_id, **_finished(event), "result": result}
            case UsageReport():
                return {"type": "usage", **asdict(event)}
            case Notice():
                return {"type": "notice", "text": event.text}
            case TurnFinished():
                usage = asdict(event.usage)
                end = {"stop_reason": event.stop_reason, "usage": usage, "session": self._session}
                return {"type": "turn_finished", **end}


def _told(event: ToolFinished) -> str:
    outcome = event.outcome
    why = f": {outcome.failure.sentence()}" if outcome.failure else ""
    return f"[{event.name} {'failed' if why else 'ok'} {outcome.seconds:.1f} s{why}]"


def _finished(event: ToolFinished) -> dict[str, Any]:
    return {"name": event.name, "ok": event.outcome.ok, "seconds": round(event.outcome.seconds, 3)}


def _error(error: SergeiError) -> dict[str, Any]:
    return {"kind": error.kind, "message": error.message, "hint": error.hint, "code": error.code}


def _emit(value: Mapping[str, Any], indent: int | None = None) -> None:
    """ASCII only, so that nothing in it can act on a terminal."""
    print(json.dumps(value, indent=indent), flush=True)
