"""Time series as causes read them: one value per step, and since when it is unlike itself."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Final

from tools.render.models_observed import Series


@dataclass(frozen=True, slots=True)
class Episode:
    """A span in which a value was beyond a threshold; `end` is None where it still is."""

    start: datetime
    end: datetime | None
    peak: float
    usual: float
    level: float
    """Its median meanwhile."""


@dataclass(frozen=True, slots=True)
class Track:
    """One series, oldest first."""

    points: tuple[tuple[datetime, float], ...] = ()
    label: str = ""

    def __bool__(self) -> bool:
        return bool(self.points)

    @property
    def values(self) -> list[float]:
        """The values alone."""
        return [value for _, value in self.points]

    @property
    def last(self) -> float | None:
        """The median of the last three values."""
        return median(self.values[-3:]) if self.points else None

    def between(self, start: datetime, end: datetime | None = None) -> Track:
        """The part in a span."""
        kept = tuple(p for p in self.points if p[0] >= start and (end is None or p[0] < end))
        return Track(kept, self.label)

    def quantile(self, share: float) -> float:
        """The value below which this share of the values lies; 0 for an empty track."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def usual(self) -> float:
        """The value of good times: the lower third, so that trouble of half a day does not count as usual."""
        return self.quantile(0.33)

    def smooth(self) -> Track:
        """Each value as the median of itself and its neighbours: one reading is no trouble."""
        values = self.values
        made = [median(values[max(0, i - 1) : i + 2]) for i in range(len(values))]
        return Track(tuple((at, value) for (at, _), value in zip(self.points, made, strict=True)), self.label)

    def episode(self, threshold: float, *, since: datetime, gap: timedelta) -> Episode | None:
        """The last span above the threshold that reaches into the time after `since`."""
        smooth = self.smooth()
        above = [(at, value) for at, value in smooth.points if value > threshold]
        if len(above) < 2 or above[-1][0] < since:
            return None
        span: list[tuple[datetime, float]] = [above[-1]]
        for point in reversed(above[:-1]):
            if span[-1][0] - point[0] > gap:
                break
            span.append(point)
        start, end = span[-1][0], span[0][0]
        if len(span) < 2:
            return None
        times = [at for at, _ in self.points]
        over = end < times[-1] - 3 * (times[1] - times[0])
        values = [value for _, value in span]
        return Episode(start, end if over else None, max(values), self.usual(), median(values))


def combined(tracks: Iterable[Track], how: str = "max") -> Track:
    """Several instances as one: the largest, the mean or the sum at each time."""
    at: dict[datetime, list[float]] = {}
    for track in tracks:
        for moment, value in track.points:
            at.setdefault(moment, []).append(value)
    fold = {"max": max, "mean": fmean, "sum": sum}[how]
    return Track(tuple((moment, float(fold(values))) for moment, values in sorted(at.items())))


def ratio(above: Track, below: Track) -> Track:
    """One track as a share of another: of its latest value, or its first where there is none yet."""
    if not below.points:
        return Track()
    times = [at for at, _ in below.points]
    under = below.values
    made = [(at, value, under[max(0, bisect_right(times, at) - 1)]) for at, value in above.points]
    return Track(tuple((at, value / limit) for at, value, limit in made if limit), above.label)


_MEGABYTES: Final = {"bytes": 1 / 1024**2, "b": 1 / 1024**2, "kb": 1 / 1024, "gb": 1024.0, "gib": 1024.0}


def tracks(series: Sequence[Series], label: str = "instance") -> tuple[Track, ...]:
    """The series of an answer, sizes in MB; values without time or number are left out."""
    return tuple(
        Track(
            tuple(
                sorted(
                    (p.timestamp, p.value * _MEGABYTES.get(each.unit.lower(), 1.0))
                    for p in each.values
                    if p.timestamp is not None and p.value is not None
                )
            ),
            each.label(label),
        )
        for each in series
    )
