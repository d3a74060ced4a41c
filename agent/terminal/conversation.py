"""What one conversation in the terminal consists of, and what may be exchanged while it goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.compose import House
from agent.events import UsageReport
from agent.executor import Outcome
from agent.loop import Loop
from agent.model import AnthropicModel
from agent.session import Session
from agent.settings import Settings
from agent.terminal.interrupts import Interrupts
from agent.terminal.opening import open_loop, open_model, sessions_folder
from agent.terminal.screen import Screen

_KEPT: Final = 500
"""Calls whose output /show can still print."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A finished call and its number, as the screen gave it."""

    number: int
    name: str
    arguments: Mapping[str, Any]
    outcome: Outcome


@dataclass(slots=True)
class Conversation:
    """One person at one terminal. Without a key there is no model, and no loop; the tools still work.

    `context` is the tokens of the conversation after the last request, 0 when nothing was sent yet.
    """

    house: House
    screen: Screen
    interrupts: Interrupts
    model: AnthropicModel | None
    session: Session
    max_steps: int
    loop: Loop | None = None
    failed: bool = False
    context: int = 0
    total: UsageReport = field(default_factory=UsageReport)
    calls: deque[Shown] = field(default_factory=lambda: deque[Shown](maxlen=_KEPT))
    _count: int = 0

    def __post_init__(self) -> None:
        self.hold(self.session)

    @property
    def settings(self) -> Settings:
        """The run's settings."""
        return self.house.settings

    @property
    def folder(self) -> Path:
        """Where conversations are saved."""
        return sessions_folder(self.settings)

    @property
    def model_name(self) -> str:
        """The model's name; the one that would be used when there is no key."""
        return self.model.name if self.model else self.settings.model

    def hold(self, session: Session) -> None:
        """Go on with this session, and let go of the one before."""
        if session is not self.session:
            self.session.close()
        self.session = session
        self.context, self.failed = 0, False
        if self.model is not None:
            self.loop = open_loop(self.house, self.model, session, self.max_steps)

    def new_session(self) -> Session:
        """A session about this target that has not begun."""
        return Session.create(self.folder, target=self.house.target, model=self.model_name)

    async def use(self, name: str) -> None:
        """Talk to another model from the next request on. Without a key: remembers nothing."""
        if self.model is None or self.loop is None:
            return
        former, self.model = self.model, open_model(self.settings, name)
        self.loop.model = self.model
        await former.aclose()

    def note_call(self, name: str, arguments: Mapping[str, Any], outcome: Outcome) -> Shown:
        """Number a finished call."""
        self._count += 1
        shown = Shown(self._count, name, arguments, outcome)
        self.calls.append(shown)
        return shown

    async def close(self) -> None:
        """Let go of the session and the connections."""
        self.session.close()
        if self.model is not None:
            await self.model.aclose()
