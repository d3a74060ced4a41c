"""A person's yes, bound to the exact action.

    READ ──────────────────────────────▶ pass
    WRITE in investigate mode ─────────▶ Refused, nobody is asked
    WRITE in act mode: a grant for this very digest? ─▶ pass
                       otherwise ask ─▶ once · for this session · no, with a reason
                       nobody to ask ─▶ Refused

Nothing here reads text that a model, a row or a tool result wrote to decide anything: the mode is set by the
face, the digest is computed from the arguments.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

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
    """What a person is asked. All text is made safe to print: see `visible`."""

    tool: str
    effect: Effect
    digest: str
    preview: Preview


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's answer, or the gate's own (`by` says which)."""

    answer: Answer
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """A yes for the rest of this session, for one digest."""

    tool: str
    digest: str
    action: str
    given: datetime


Asker = Callable[[Request], Awaitable[Decision]]


@dataclass(slots=True)
class Approvals:
    """The mode, whom to ask, and the grants of this session."""

    mode: Mode
    asker: Asker | None = None
    grants: list[Grant] = field(default_factory=list[Grant])

    def granted(self, digest: str) -> bool:
        """Whether this very action was approved for the session."""
        return any(grant.digest == digest for grant in self.grants)

    def withdraw(self, digest: str) -> None:
        """Take a grant back."""
        self.grants[:] = [grant for grant in self.grants if grant.digest != digest]

    def require_act(self, tool: str) -> None:
        """Refused in investigate mode."""
        if self.mode is not Mode.ACT:
            raise Refused(
                f"{tool} changes something and this session is in investigate mode.",
                hint="A person can start an act session (chat: /mode act; server: sergei mcp --mode act).",
            )

    async def decide(self, request: Request, asker: Asker | None = None) -> Decision:
        """The decision: from a grant, or from the person behind `asker` (or the session's own)."""
        if self.granted(request.digest):
            return Decision(Answer.SESSION, by="grant")
        ask = asker or self.asker
        if ask is None:
            raise Refused(
                f"{request.tool} needs a person's approval and nobody is here to ask.",
                hint="Run it in a terminal (sergei chat, sergei run) or from a client with elicitation.",
            )
        decision = await ask(request)
        if decision.answer is Answer.SESSION:
            self.grants.append(Grant(request.tool, request.digest, request.preview.action, datetime.now(UTC)))
        return decision


def visible(text: str) -> str:
    """Text that cannot lie on a screen: control, bidirectional and invisible characters are spelled out."""
    return "".join(char if char in "\n\t" or not _hidden(char) else f"\\u{{{ord(char):x}}}" for char in text)


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}


def visible_preview(preview: Preview) -> Preview:
    """The preview with every field made visible."""
    return preview.model_copy(
        update={
            "action": visible(preview.action),
            "target": visible(preview.target),
            "touches": tuple(visible(item) for item in preview.touches),
            "consequence": visible(preview.consequence),
            "undo": visible(preview.undo),
            "evidence": visible(preview.evidence),
        }
    )
