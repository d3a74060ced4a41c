"""The time of the simulated platform. Everything that happens there is a function of this clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final

START: Final = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
"""A Tuesday afternoon: there is traffic to look at, and the night's batch is behind us."""


class Clock:
    """Stands still until it is advanced; with a speed it also runs, that many times as fast as real time."""

    def __init__(self, start: datetime = START, speed: float = 0.0) -> None:
        self._base = start
        self._speed = speed
        self._since = time.monotonic()

    def now(self) -> datetime:
        """The simulated time, in UTC."""
        if not self._speed:
            return self._base
        return self._base + timedelta(seconds=(time.monotonic() - self._since) * self._speed)

    def advance(self, seconds: float) -> None:
        """Move on by so many simulated seconds."""
        self._base += timedelta(seconds=seconds)

    def run(self, speed: float) -> None:
        """Go on from the present simulated time at this speed; 0 stands still."""
        self._base, self._since, self._speed = self.now(), time.monotonic(), speed

    async def sleep(self, seconds: float) -> None:
        """What a tool is given as its sleep: time passes at once, or as fast as the clock runs."""
        if self._speed:
            await asyncio.sleep(seconds / self._speed)
        else:
            self.advance(seconds)
            await asyncio.sleep(0)


def stamp(moment: datetime, digits: int = 6) -> str:
    """RFC 3339 with Z, as Render writes it: 2025-01-13T16:42:08.549212Z."""
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{text[: 20 + digits] if digits else text[:19]}Z"


def moment_of(text: str) -> datetime:
    """The moment an RFC 3339 text or a number of seconds names; ValueError where it names none."""
    if text.replace(".", "", 1).isdigit():
        return datetime.fromtimestamp(float(text), UTC)
    parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
