"""Rate limits as the vendor's headers tell them, shared by all calls of one client.

A bucket is what the vendor counts together. Calls that are on their way are counted as spent, so that twenty
calls at once do not all see the same one call left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tools.errors import Unavailable

LONGEST_WAIT: Final = 120.0
"""Seconds that a call waits at most for a limit; beyond, the caller is told when to come again."""
_EPOCH: Final = 1_000_000_000
"""Above this, a reset is a point in time and not a number of seconds."""


@dataclass(slots=True)
class _Window:
    limit: int
    remaining: int
    ends: float
    on_their_way: int = 0


class RateLimits:
    """What is left of each bucket. `pause` and `clock` are given, so that nothing waits in a test."""

    def __init__(
        self,
        vendor: str,
        *,
        pause: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
        progress: Callable[[str], None],
    ) -> None:
        self._vendor, self._pause, self._clock, self._progress = vendor, pause, clock, progress
        self._windows: dict[str, _Window] = {}

    async def enter(self, bucket: str) -> None:
        """Take one call from the bucket, waiting for the next window if it is empty."""
        while (window := self._windows.get(bucket)) is not None:
            left = window.ends - self._clock()
            if left <= 0:
                del self._windows[bucket]  # a new window: its size is told by the next answer
                break
            if window.remaining > 0:
                window.remaining -= 1
                window.on_their_way += 1
                return
            ends = window.ends
            await self._wait(left)
            if self._windows.get(bucket) is window and window.ends == ends:
                # The first of those who waited opens the next window for all of them. The wait is over
                # whatever the clock says: a simulated pause need not move it.
                window.remaining = max(window.limit, 1)
                window.ends = max(window.ends, self._clock()) + 1

    def learn(self, bucket: str, headers: Mapping[str, str]) -> None:
        """Note what an answer says of its bucket. Headers are looked up in lower case."""
        window = self._windows.get(bucket)
        others = 0
        if window is not None:
            window.on_their_way = others = max(window.on_their_way - 1, 0)
        limit, remaining, reset = (_header(headers, name) for name in ("limit", "remaining", "reset"))
        if limit is None or remaining is None or reset is None:
            return
        now = self._clock()
        ends = reset if reset > _EPOCH else now + reset
        self._windows[bucket] = _Window(int(limit), max(int(remaining) - others, 0), ends, others)

    def after_refusal(self, headers: Mapping[str, str]) -> float:
        """Seconds to wait after a 429: Retry-After, else the reset, else ten. Unavailable if too long."""
        told = _number(headers.get("retry-after"))
        if told is None:
            reset = _header(headers, "reset")
            told = (reset - self._clock() if reset > _EPOCH else reset) if reset is not None else None
        seconds = max(told if told is not None else 10.0, 1.0)
        self._bearable(seconds)
        return seconds

    def _bearable(self, seconds: float) -> None:
        """Raises Unavailable where that is too long to sit through."""
        if seconds > LONGEST_WAIT:
            raise Unavailable(
                f"{self._vendor}'s rate limit is used up for another {seconds / 60:.0f} minutes.",
                hint="Call again then.",
                code="429",
            )

    async def _wait(self, seconds: float) -> None:
        self._bearable(seconds)
        self._progress(f"waiting {seconds:.0f} s for {self._vendor}'s rate limit")
        await self._pause(seconds)


def _header(headers: Mapping[str, str], name: str) -> float | None:
    """Render writes Ratelimit-Limit, Supabase X-RateLimit-Limit."""
    found = headers.get(f"ratelimit-{name}")
    return _number(headers.get(f"x-ratelimit-{name}") if found is None else found)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:  # a date, or a list of policies
        return None
    return value if value is None or 0 <= value < 1e12 else None
