"""A cron schedule as Render reads it: five fields, UTC."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from tools.errors import InvalidInput

_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_RANGES: Final = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_PART: Final = re.compile(r"(\*|\d{1,2})(?:-(\d{1,2}))?(?:/(\d{1,3}))?")
_HORIZON: Final = timedelta(days=800)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which minutes, hours, days, months and weekdays it fires on. `either`: day or weekday is enough."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidInput, in one sentence, for what is no schedule."""
        fields = text.lower().split()
        if len(fields) != 5:
            raise InvalidInput("A schedule has five fields: minute, hour, day, month, weekday (UTC).")
        named = [*fields[:3], _numbered(fields[3], _MONTHS, 1), _numbered(fields[4], _DAYS, 0)]
        sets = [_set(field, *limits) for field, limits in zip(named, _RANGES, strict=True)]
        weekdays = frozenset(day % 7 for day in sets[4])
        either = not fields[2].startswith("*") and not fields[4].startswith("*")
        return cls(
            tuple(sorted(sets[0])), tuple(sorted(sets[1])), sets[2], sets[3], weekdays, either
        )  # fmt: skip

    def fires_on(self, day: datetime) -> bool:
        """Whether it fires at all on this day."""
        weekday = (day.weekday() + 1) % 7 in self.weekdays
        right = day.day in self.days
        return day.month in self.months and ((weekday or right) if self.either else (weekday and right))

    def latest(self, now: datetime, count: int = 1) -> list[datetime]:
        """The last times it fired up to now, newest first; fewer where it fires less than every two years."""
        found: list[datetime] = []
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        oldest = day - _HORIZON
        while day > oldest and len(found) < count:
            if self.fires_on(day):
                times = (
                    day.replace(hour=hour, minute=minute)
                    for hour in reversed(self.hours)
                    for minute in reversed(self.minutes)
                )
                found += [at for at in times if at <= now]
            day -= timedelta(days=1)
        return found[:count]

    def shortest_gap(self, now: datetime) -> timedelta | None:
        """The least time between two runs, from its latest ones; None where it never fires."""
        times = self.latest(now, 300)
        gaps = [later - earlier for later, earlier in itertools.pairwise(times)]
        return min(gaps, default=None)


def _numbered(field: str, names: list[str], first: int) -> str:
    return re.sub(
        r"[a-z]{3}",
        lambda found: str(names.index(found[0]) + first) if found[0] in names else found[0],
        field,
    )


def _set(field: str, name: str, least: int, most: int) -> frozenset[int]:
    chosen: set[int] = set()
    for part in field.split(","):
        found = _PART.fullmatch(part)
        if not found:
            raise InvalidInput(f"The {name} of the schedule cannot be read.")
        first = least if found[1] == "*" else int(found[1])
        last = int(found[2]) if found[2] else most if found[1] == "*" or found[3] else first
        step = int(found[3] or 1)
        if not (least <= first <= last <= most) or step == 0:
            raise InvalidInput(f"The {name} of the schedule is from {least} to {most}.")
        chosen.update(range(first, last + 1, step))
    return frozenset(chosen)
