"""A person's yes, bound to the exact action and to the exact target.

    READ ──────────────────────────────▶ pass
    WRITE in investigate mode ─────────▶ Refused, nobody is asked
    WRITE in act mode: a grant for this very binding? ─▶ pass
                       a pattern that a person wrote?  ─▶ pass, on record by its name
                       otherwise ask ─▶ once · for this session · no, with a reason
                       nobody to ask ─▶ Refused

A binding is the hash of tool, arguments, target and everything of the preview that is not evidence: a yes for
staging is none for production, and a yes for a change that would now do something else is none either.

Nothing here reads text that a model, a row or a tool result wrote to decide anything: the mode is set by the
face, the binding is computed, patterns come from sergei.toml at the start or from the keyboard.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from agent.patterns import Pattern
from tools.errors import Refused
from tools.registry import Effect, Preview


class Mode(StrEnum):
    """investigate: nothing can change. act: changes are asked."""

    INVESTIGATE = "investigate"
    ACT = "act"


class Answer(StrEnum):
    """What a person may answer."""

    ONCE = "once"
    SESSION = "session"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Request:
    """What a person is asked. All text of the preview is made safe to print: see agent/exact.py.

    `digest` is of the tool and its arguments, `binding` of what a yes holds for. `stated` names the arguments
    that are not at their default. `warnings` are past failures on the same object: told, never decisive.
    """

    tool: str
    effect: Effect
    digest: str
    preview: Preview
    binding: str
    environment: str
    arguments: Mapping[str, Any] = field(repr=False)
    stated: frozenset[str]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's answer, or the gate's own (`by` says which; `asked` whether time passed over it)."""

    answer: Answer
    by: str
    reason: str = ""
    pattern: str = ""
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Grant:
    """A yes for the rest of this session, for one binding."""

    tool: str
    digest: str
    binding: str
    action: str
    target: str
    given: datetime


Asker = Callable[[Request], Awaitable[Decision]]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Approvals:
    """The mode, whom to ask, the grants of this session, and what was approved beforehand.

    `patterns` come from sergei.toml, `added` from the keyboard, for this session. `unaccepted` counts those
    in sergei.toml that nobody on this machine accepted, and that are not in force.
    """

    mode: Mode
    asker: Asker | None = None
    grants: list[Grant] = field(default_factory=list[Grant])
    patterns: tuple[Pattern, ...] = ()
    added: list[Pattern] = field(default_factory=list[Pattern])
    unaccepted: int = 0
    now: Callable[[], datetime] = _now

    def granted(self, binding: str) -> bool:
        """Whether this very action on this very target was approved for the session."""
        return any(grant.binding == binding for grant in self.grants)

    def withdraw(self, binding: str) -> None:
        """Take a grant back."""
        self.grants[:] = [grant for grant in self.grants if grant.binding != binding]

    def require_act(self, tool: str) -> None:
        """Refused in investigate mode."""
        if self.mode is not Mode.ACT:
            raise Refused(
                f"{tool} changes something and this session is in investigate mode.",
                hint="A person can start an act session (chat: /mode act; server: sergei mcp --mode act).",
            )

    async def decide(self, request: Request, asker: Asker | None = None) -> Decision:
        """The decision: from a grant, a pattern, or the person behind `asker` (or the session's own)."""
        self.require_act(request.tool)
        if self.granted(request.binding):
            return Decision(Answer.SESSION, by="grant", asked=False)
        for pattern in (*self.patterns, *self.added):
            if pattern.covers(request, self.now()):
                return Decision(Answer.ONCE, by="pattern", pattern=pattern.name, asked=False)
        ask = asker or self.asker
        if ask is None:
            raise Refused(
                f"{request.tool} needs a person's approval and nobody is here to ask.",
                hint="Run it in a terminal (sergei chat, sergei run) or from a client with elicitation."
                + (
                    " sergei.toml has patterns that nobody accepted: `sergei approvals`."
                    * (self.unaccepted > 0)
                ),
            )
        decision = await ask(request)
        self.require_act(request.tool)  # the mode may have been changed meanwhile
        if decision.answer is Answer.SESSION:
            shown, given = request.preview, self.now()
            self.grants.append(
                Grant(request.tool, request.digest, request.binding, shown.action, shown.target, given)
            )
        return decision


def bind(digest: str, target: str, preview: Preview) -> str:
    """What a yes holds for: the arguments, the target (its identity, not its label), and what was shown.

    Evidence is left out: a dry run counts rows, which may differ from one second to the next.
    """
    shown = preview.model_dump(mode="json", exclude={"evidence"})
    return sha256(json.dumps([digest, target, shown], sort_keys=True).encode()).hexdigest()


def visible(text: str) -> str:
    """Text that cannot lie on a screen: control, bidirectional and invisible characters are spelled out."""
    return "".join(char if char in "\n\t" or not _hidden(char) else f"\\u{{{ord(char):x}}}" for char in text)


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
