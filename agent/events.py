"""What the loop tells a face while a turn runs: plain frozen facts, without words for a screen.

TurnStarted
  Remembered?                        what the memory bank put beside the person's words
  TextChunk* ThinkingChunk*          the reply, as it streams
  ToolStarted* ToolFinished*         its tools; reads run at the same time, so these interleave
  UsageReport                        one per request to the model
  Notice*                            something a person should know that is not part of the reply
TurnFinished                         always the last, unless the turn was cancelled or raised an error
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.executor import Outcome


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Tokens of one request, or of a whole turn.

    `input` leaves out what was read from or written to the cache.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def __add__(self, other: UsageReport) -> UsageReport:
        return UsageReport(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )

    @property
    def context(self) -> int:
        """Tokens of the conversation after this one request: what counts against the model's window."""
        return self.input + self.output + self.cache_read + self.cache_write


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The user's message is in the history. `text` is what the model sees of it: secrets replaced."""

    text: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """Entries of the memory bank that the model reads with the question, by title."""

    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextChunk:
    """The next piece of the reply, as Markdown."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingChunk:
    """The next piece of the model's summarised thinking, when the model shows it."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool call begins (for a change: before a person is asked). `call_id` pairs it with ToolFinished."""

    call_id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool call ended; `outcome` is redacted and says whether it worked."""

    call_id: str
    name: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence for the person: the reply was cut off, the step limit was reached, ..."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The turn is over and the history is whole.

    `stop_reason` is the API's (end_turn, max_tokens, refusal, ...) or `max_steps`; `usage` is the turn's sum.
    """

    stop_reason: str
    usage: UsageReport


Event = (
    TurnStarted
    | Remembered
    | TextChunk
    | ThinkingChunk
    | ToolStarted
    | ToolFinished
    | UsageReport
    | Notice
    | TurnFinished
)
