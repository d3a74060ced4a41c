"""Reading from many places at once, where one that cannot be read costs no other and is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import CoroutineType
from typing import Final, TypeVar

from tools.errors import ConfigurationError, NotFound, SergeiError

T = TypeVar("T")
AT_ONCE: Final = 8


class Partial:
    """The readings of one answer. `unread` says what could not be read, and why.

    A missing key, or a wrong one, is no missing part: that error goes on to the caller.
    """

    def __init__(self) -> None:
        self.unread: list[str] = []
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, what: str, reading: Awaitable[T], instead: T, *, optional: bool = False) -> T:
        """The answer, or `instead`; `optional` where the vendor may not have it at all (404)."""
        try:
            async with self._turn:
                return await reading
        except ConfigurationError:
            raise
        except SergeiError as error:
            if not (optional and isinstance(error, NotFound)):
                self.unread.append(f"{what}: {error.message}")
            return instead
        finally:
            if isinstance(reading, CoroutineType):
                reading.close()  # one that was never awaited, as another part's error went first

    def note(self) -> str:
        """One line about what is missing; empty when nothing is."""
        return "Not read: " + "; ".join(dict.fromkeys(self.unread)) if self.unread else ""
