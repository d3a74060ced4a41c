"""Two weeks of one resource: hours, percentiles, failures, runs. What could not be read is None."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from tools.render.models_observed import Event, Series

HOUR: Final = timedelta(hours=1)
EVENTS: Final = 200
"""Events that are read at most."""
_UNITS: Final = {
    "gb": 1e9, "gib": 2.0**30, "mb": 1e6, "mib": 2.0**20, "kb": 1e3, "kib": 2.0**10,
    "m": 1e-3, "millicores": 1e-3, "mcpu": 1e-3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of the hours' means, the 95th percentile of the hours' peaks, and the highest peak."""

    p50: float
    p95: float
    peak: float


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour: the highest readings of any one instance, and how many instances ran."""

    at: datetime
    cpu: float
    memory: float
    instances: float = 1.0

    @property
    def cpu_in_all(self) -> float:
        """CPUs of all instances together, at most."""
        return self.cpu * self.instances


@dataclass(frozen=True, slots=True)
class Runs:
    """A cron job's runs in the span that was seen."""

    count: int
    failed: int
    minutes: float
    span: timedelta

    def monthly_minutes(self) -> float:
        """Minutes of a month at this pace."""
        return self.minutes * timedelta(days=365 / 12) / self.span


@dataclass(frozen=True, slots=True)
class Load:
    """What one resource did. `asked` is how many hours were asked for."""

    asked: int
    hours: tuple[Hour, ...] = ()
    cpu: Spread | None = None
    memory: Spread | None = None
    requests: Mapping[datetime, float] | None = None
    egress_gb: float | None = None
    """A month, at the pace of the window."""
    instances: float | None = None
    connections: Spread | None = None
    disk_used: float | None = None
    killed: int = 0
    released: datetime | None = None
    runs: Runs | None = None
    events_read: bool = True

    @property
    def growth(self) -> float:
        """The load of the last quarter over that of the first: 1.0 is level; the larger of CPU and memory."""
        quarter = len(self.hours) // 4
        if quarter < 24:
            return 1.0
        first, last = self.hours[:quarter], self.hours[-quarter:]
        return max(_ratio(first, last, "cpu_in_all"), _ratio(first, last, "memory"))

    def refined(self, cpu: Mapping[datetime, float], memory: Mapping[datetime, float]) -> Load:
        """The same with the peaks by the minute, by hour, of the days that were read again.

        What other hours hide is taken to be what the hours of those days hid, in their median.
        """
        hours = self.hours
        burst = {"cpu": _burst(hours, "cpu", cpu), "memory": _burst(hours, "memory", memory)}
        hours = tuple(
            replace(
                hour,
                cpu=max(hour.cpu, cpu[hour.at]) if hour.at in cpu else hour.cpu * burst["cpu"],
                memory=max(hour.memory, memory[hour.at])
                if hour.at in memory
                else hour.memory * burst["memory"],
            )
            for hour in hours
        )
        if not self.cpu or not self.memory:
            return self
        return replace(
            self,
            hours=hours,
            cpu=spread([self.cpu.p50], [hour.cpu for hour in hours]),
            memory=spread([self.memory.p50], [hour.memory for hour in hours]),
        )


def points(series: Series) -> list[tuple[datetime, float]]:
    """The readings that there are, in bytes, CPUs or counts, by what the series calls its unit."""
    factor = _UNITS.get(series.unit.lower(), 1.0)
    return [
        (point.timestamp, point.value * factor)
        for point in series.values
        if point.timestamp is not None and point.value is not None and math.isfinite(point.value)
    ]


def by_hour(series: Iterable[Series], join: Callable[[list[float]], float]) -> dict[datetime, float]:
    """The readings of all instances in each hour, joined by `max` or `sum`."""
    found: dict[datetime, list[float]] = {}
    for each in series:
        for at, value in points(each):
            found.setdefault(at.replace(minute=0, second=0, microsecond=0), []).append(value)
    return {at: float(join(values)) for at, values in sorted(found.items())}


def spread(means: Iterable[float], tops: Sequence[float]) -> Spread | None:
    """Percentiles of hours; None without any."""
    typical = sorted(means) or sorted(tops)
    if not tops:
        return None
    ordered = sorted(tops)
    high = ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]
    return Spread(typical[(len(typical) - 1) // 2], high, ordered[-1])


def runs_of(events: Sequence[Event], start: datetime, now: datetime) -> Runs:
    """The runs among these events, which are newest first and may be cut off at the oldest."""
    starts = {_run(each): each for each in events if each.type == "cron_job_run_started"}
    ends = [each for each in events if each.type == "cron_job_run_ended"]
    minutes, failed = 0.0, 0
    for end in ends:
        begin = starts.get(_run(end))
        if begin and begin.timestamp and end.timestamp:
            minutes += max(0.0, (end.timestamp - begin.timestamp).total_seconds() / 60)
        failed += str(end.details.get("status", "")).startswith(("unsuccess", "fail"))
    oldest = min((each.timestamp for each in events if each.timestamp), default=start)
    span = now - (oldest if len(events) >= EVENTS else start)
    return Runs(len(ends), failed, minutes, max(span, HOUR))


def _burst(hours: Sequence[Hour], name: str, fine: Mapping[datetime, float]) -> float:
    """How far the minutes of an hour rise above the hour's own reading, in the median."""
    ratios = [
        fine[hour.at] / getattr(hour, name) for hour in hours if hour.at in fine and getattr(hour, name) > 0
    ]
    return max(1.0, median(ratios)) if ratios else 1.0


def _run(event: Event) -> str:
    return str(event.details.get("cronJobRunId", ""))


def _ratio(first: Sequence[Hour], last: Sequence[Hour], name: str) -> float:
    before, after = (sum(getattr(hour, name) for hour in part) / len(part) for part in (first, last))
    return after / before if before > 0 else 1.0
