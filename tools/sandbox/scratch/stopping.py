"""Long work in a thread that ends soon after nobody waits for it any more: Ctrl-C, a client that cancels.

A thread cannot be ended from outside. Its scratch sessions are told: the statement that runs is cancelled,
and the next one raises Stopped, which no handler of errors on the way holds up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, TypeVar

import psycopg

Answer = TypeVar("Answer")


class Stopped(BaseException):
    """Nobody waits for this work."""


@dataclass(slots=True, eq=False)
class Stop:
    """Whether work was stopped, and the connections that it has open."""

    asked: bool = False
    connections: list[psycopg.Connection[tuple[object, ...]]] = field(
        default_factory=list[psycopg.Connection[tuple[object, ...]]]
    )

    def ask(self) -> None:
        """Cancel what runs at this moment. Called from another thread than that of the work."""
        self.asked = True
        for connection in tuple(self.connections):
            if not connection.closed:
                connection.cancel()

    def check(self) -> None:
        """Raise Stopped where the work was stopped."""
        if self.asked:
            raise Stopped


_PATIENCE: Final = 0.2
_NEVER = Stop()
_current: ContextVar[Stop] = ContextVar("stop", default=_NEVER)


def watched(connection: psycopg.Connection[tuple[object, ...]]) -> Stop:
    """The stop of the work that opens this connection."""
    stop = _current.get()
    if stop is not _NEVER:
        stop.connections.append(connection)
    return stop


async def in_thread(work: Callable[[], Answer]) -> Answer:
    """What `work` returns, done in a thread; when the wait is cancelled, the work is ended first."""
    stop = Stop()
    before = _current.set(stop)  # the thread gets a copy of this context
    working = asyncio.create_task(asyncio.to_thread(work))
    _current.reset(before)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        while not working.done():
            stop.ask()  # again: a statement may have begun since
            await asyncio.wait((working,), timeout=_PATIENCE)
        with suppress(asyncio.CancelledError):
            working.exception()  # it was looked at
        raise
