"""Windows of time as people say them: `2h`, `since 09:00`, `yesterday`, `2026-11-24 14:00 to 15:30`.

Times without a zone are UTC, as every time that Sergei shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tools.errors import InvalidInput
from tools.wording import span

SAID: Final = (
    "A span back from now (`45m`, `2h`, `3d`), `since 09:00`, `09:00-10:30`, `around 14:05`, `today`, "
    "`yesterday`, or ISO times joined by ` to `; UTC."
)
"""What a tool's parameter says about its window."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LENGTH: Final = re.compile(
    r"(?:(?:the )?(?:last|past|previous) )?(\d{1,6}(?:\.\d{1,3})?)? ?"
    r"(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?: ago)?",
    re.IGNORECASE,
)
_PART: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?([smhdw])[a-z]*", re.IGNORECASE)
_COMPOUND: Final = re.compile(
    r"(?:(?:the )?(?:last|past|previous) )?(?:\d{1,6} ?[dhms][a-z]* ?){2,4}", re.IGNORECASE
)
_CLOCK: Final = re.compile(r"(\d{1,2})[:h.](\d{2})(?::(\d{2}))?(?: ?(am|pm))?(?: ?(?:utc|z))?", re.IGNORECASE)
_DAY: Final = re.compile(r"(today|yesterday)(?:,? at)? ?", re.IGNORECASE)
_JOINED: Final = re.compile(r"\s+(?:to|until|till|and)\s+|\s*/\s*|\s*\.\.\s*|\s+[-–]\s+", re.IGNORECASE)
_TIGHT: Final = re.compile(r"(\d{1,2}:\d{2}(?::\d{2})?)\s?[-–]\s?(\d{1,2}:\d{2}(?::\d{2})?)")
_LONGEST: Final = 10 * 365 * 86_400
_EITHER: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to `end`, both in UTC."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    @property
    def label(self) -> str:
        """`2026-11-24 13:30 to 14:30 UTC (1 h)`."""
        days = "%Y-%m-%d %H:%M"
        same = self.start.date() == self.end.date()
        end = self.end.strftime("%H:%M" if same else days)
        return f"{self.start.strftime(days)} to {end} UTC ({span(self.length)})"


def parse_window(said: str, now: datetime, *, longest: timedelta | None = None) -> Window:
    """The window that is meant. Raises InvalidInput for what cannot be read, lies ahead, or is too long."""
    text, now = " ".join(said.split()), now.astimezone(UTC)
    window = _parsed(text, now)
    if window is None:
        raise InvalidInput(f"{said[:60]!r} is no window of time.", hint=SAID)
    window = Window(window.start, min(window.end, now))
    if window.length <= timedelta(0):
        raise InvalidInput(f"{said[:60]!r} ends before it starts, or lies ahead (it is {now:%H:%M} UTC).")
    if longest is not None and window.length > longest + timedelta(minutes=1):
        raise InvalidInput(f"The window is {span(window.length)}; at most {span(longest)} can be asked for.")
    return window


def _parsed(text: str, now: datetime) -> Window | None:
    if (length := _length(text)) is not None:
        return Window(now - length, now)
    if whole := _DAY.fullmatch(text + " "):
        start = _midnight(whole[1], now)
        return Window(start, min(start + timedelta(days=1), now))
    lowered = text.lower()
    for word in ("since ", "from ", "after "):
        if lowered.startswith(word):
            rest = text[len(word) :]
            if (length := _length(rest)) is not None:
                return Window(now - length, now)
            if _JOINED.search(rest) is None and _TIGHT.fullmatch(rest) is None:
                at = _moment(rest, now)
                return Window(at, now) if at else None
            return _between(rest, now)
    for word in ("around ", "at ", "about "):
        if lowered.startswith(word):
            at = _moment(text[len(word) :], now)
            return Window(at - _EITHER, at + _EITHER) if at else None
    return _between(text.removeprefix("between "), now)


def _between(text: str, now: datetime) -> Window | None:
    tight = _TIGHT.search(text)
    parts = _JOINED.split(text)
    if tight and len(parts) == 1:
        day = text[: tight.start()]
        parts = [day + tight[1], day + tight[2]]
    if len(parts) == 1:
        at = _moment(text, now)
        if at is not None and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return Window(at, at + timedelta(days=1))
        return Window(at, now) if at else None
    if len(parts) != 2:
        return None
    start = _moment(parts[0], now)
    if start is None:
        return None
    if parts[1].lower() == "now":
        return Window(start, now)
    if (length := _length(parts[1])) is not None and not _CLOCK.fullmatch(parts[1]):
        return Window(start, start + length)
    end = _moment(parts[1], now, day=start)
    return Window(start, end) if end else None


def _length(text: str) -> timedelta | None:
    if _COMPOUND.fullmatch(text):
        seconds = sum(float(part[1]) * _UNITS[part[2].lower()] for part in _PART.finditer(text))
    else:
        found = _LENGTH.fullmatch(text)
        if found is None or (found[1] is None and len(found[2]) == 1):
            return None
        seconds = float(found[1] or 1) * _UNITS[found[2][0].lower()]
    return timedelta(seconds=min(seconds, _LONGEST))


def _moment(text: str, now: datetime, *, day: datetime | None = None) -> datetime | None:
    """A clock time means the latest such time that has been, or that of `day`."""
    text = text.strip()
    if text.lower() == "now":
        return now
    named = _DAY.match(text)
    clock = _CLOCK.fullmatch(text[named.end() :] if named else text)
    if clock is not None:
        return _clock(clock, _midnight(named[1], now) if named else None, day, now)
    if named is not None:
        return _midnight(named[1], now) if not text[named.end() :] else None
    try:
        at = datetime.fromisoformat(re.sub(r"\s?(?:utc|z)$", "+00:00", text, flags=re.IGNORECASE))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _clock(
    clock: re.Match[str], named: datetime | None, day: datetime | None, now: datetime
) -> datetime | None:
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if clock[4]:
        hour = hour % 12 + (12 if clock[4].lower() == "pm" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    at = (named or day or now).replace(hour=hour, minute=minute, second=second, microsecond=0)
    if named is None and day is None and at > now:
        at -= timedelta(days=1)
    if day is not None and at < day:
        at += timedelta(days=1)  # 23:30 to 00:30
    return at


def _midnight(word: str, now: datetime) -> datetime:
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return start - timedelta(days=1) if word.lower() == "yesterday" else start
