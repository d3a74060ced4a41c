"""Ctrl-C stops what runs and nothing else; what is typed meanwhile waits for the prompt, unseen."""

from __future__ import annotations

import asyncio
import signal
import termios
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any


class Interrupts:
    """Runs one piece of work at a time, so that it can be stopped."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Stop what runs, if anything does."""
        if self._task is not None:
            self._task.cancel()

    async def run(self, work: Coroutine[Any, Any, None]) -> bool:
        """Whether the work came to its end; False when Ctrl-C stopped it. Its errors pass through."""
        loop = asyncio.get_running_loop()
        self._task = task = asyncio.create_task(work)
        loop.add_signal_handler(signal.SIGINT, self.stop)
        try:
            await asyncio.wait({task})
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            self._task = None
            if not task.done():  # we are being ended ourselves
                task.cancel()
                await asyncio.wait({task})
        if task.cancelled():
            return False
        task.result()
        return True


@contextmanager
def quiet(terminal: int) -> Generator[None]:
    """Outside the prompt keys are kept for it, not echoed into the output; Ctrl-C still interrupts."""
    try:
        before = termios.tcgetattr(terminal)
    except termios.error:  # not a terminal
        yield
        return
    now = termios.tcgetattr(terminal)
    now[0] &= ~termios.ICRNL  # else Enter would arrive as Ctrl-J, which is a new line of a long question
    now[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(terminal, termios.TCSADRAIN, now)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def forget_typed(terminal: int) -> None:
    """Drop keys that were pressed before now: nobody may approve what he has not yet seen."""
    try:
        termios.tcflush(terminal, termios.TCIFLUSH)
    except termios.error:  # not a terminal: there is nothing to forget
        return
