"""Who is connected to the MCP face, and what each of them was allowed. Free of the protocol's types."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from agent.approvals import Approvals
from agent.executor import Executor
from tools.evidence import Evidence

ANSWER_SECONDS: Final = 600
"""How long a person may think about a question. After that nothing runs."""

MAX_SESSIONS: Final = 128
MAX_QUESTIONS: Final = 256


@dataclass(slots=True)
class Questions:
    """Questions put to clients that have no session. Each is good for one answer, to exactly what was asked.

    A client holds nothing but a random token, so there is nothing in it to forge; taking it removes it, so a
    yes that was once given cannot be played again.
    """

    clock: Callable[[], float] = time.monotonic
    _open: OrderedDict[str, tuple[str, float]] = field(default_factory=OrderedDict[str, tuple[str, float]])

    def ask(self, fingerprint: str) -> str:
        """A token for a question about exactly this. The oldest question makes room for the newest."""
        token = secrets.token_urlsafe(24)
        self._open[token] = (fingerprint, self.clock() + ANSWER_SECONDS)
        while len(self._open) > MAX_QUESTIONS:
            self._open.popitem(last=False)
        return token

    def take(self, token: str | None, fingerprint: str) -> bool:
        """Whether `token` is of an open question about exactly this. It is closed either way."""
        asked, until = self._open.pop(token or "", ("", 0.0))
        return asked == fingerprint and self.clock() < until


@dataclass(slots=True)
class Clients:
    """One Executor per session: its own grants and name in the audit log, the same resources and mode."""

    shared: Executor
    questions: Questions = field(default_factory=Questions)
    _executors: OrderedDict[str, Executor] = field(default_factory=OrderedDict[str, Executor])

    def executor(self, session: str | None, client: str) -> Executor:
        """The gate for a client. Without a session (None) a new one each time, no grants."""
        if session is None:
            return self._fresh(client)
        known = self._executors.pop(session, None)
        if known is None:
            known = self._fresh(client)
            known.resources = replace(known.resources, evidence=Evidence())  # a lesson cites its own session
        self._executors[session] = known
        if len(self._executors) > MAX_SESSIONS:
            self._executors.popitem(last=False)  # its grants are gone: it is asked again
        return known

    def _fresh(self, client: str) -> Executor:
        shared = self.shared
        return Executor(
            shared.catalogue,
            shared.resources,
            approvals=Approvals(
                shared.approvals.mode,
                patterns=shared.approvals.patterns,
                unaccepted=shared.approvals.unaccepted,
            ),
            redactor=shared.redactor,
            audit=replace(shared.audit, who=f"{shared.audit.who} for {client}"),
        )
