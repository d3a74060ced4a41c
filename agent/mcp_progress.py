"""What a long call is at, told to the client that waits for it, in the call's own task and no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from itertools import count

Report = Callable[[float, None, str], Awaitable[None]]
"""Sends one notification: a number that grows, no total, and words."""

_LISTENER: ContextVar[Callable[[str], None] | None] = ContextVar("progress", default=None)


def tell(text: str) -> None:
    """What the house's tools call, from any thread: it reaches the client whose call this is."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(text)


@asynccontextmanager
async def reported(report: Report, clean: Callable[[str], str]) -> AsyncGenerator[None]:
    """Send what is told within the block; `clean` takes out what a client may not see."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[str] = asyncio.Queue()
    before = _LISTENER.set(lambda text: _put(loop, waiting, text))

    async def send() -> None:
        for number in count(1):
            await report(float(number), None, clean(await waiting.get()))

    task = asyncio.create_task(send())
    try:
        yield
    finally:
        _LISTENER.reset(before)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # the client is gone; the call's own answer will find that out


def _put(loop: asyncio.AbstractEventLoop, waiting: asyncio.Queue[str], text: str) -> None:
    with suppress(RuntimeError):  # the loop ended while a thread was still at work
        loop.call_soon_threadsafe(waiting.put_nowait, text)
