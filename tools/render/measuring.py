"""How services and databases do over a window, from Render's series: cpu, memory, traffic, instances.

Render gives a metric per instance or as one line, in units that it names; a figure that it does not give is
None. A quantile of a window cannot be had from the quantiles of its steps, so it is told as the middle step
and the worst one.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, Final

from tools.logs.windows import Window
from tools.partial import Partial
from tools.render.models_observed import Event, Metric, Series
from tools.render.targets import Target, by_region

if TYPE_CHECKING:
    from tools.render.client import RenderClient

STEPS: Final = (60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800)
"""Seconds between readings; Render gives none closer than 30 s."""
READINGS: Final = 130
HAPPENED: Final = ("server_failed", "server_restarted", "server_hardware_failure", "deploy_ended")
_FACTORS: Final = {
    "gb": 1e9, "gib": 2**30, "mb": 1e6, "mib": 2**20, "kb": 1e3, "kib": 2**10,
    "mcpu": 1e-3, "millicpu": 1e-3, "millicores": 1e-3, "s": 1e3, "seconds": 1e3,
}  # fmt: skip
"""To bytes, whole CPUs and milliseconds."""
Plan = tuple[tuple[str, Metric, dict[str, Any]], ...]
"""Names of readings, the metric that each is, and what else is asked."""
WHOLE: Final[Plan] = (
    ("cpu", "cpu", {}),
    ("cpu_peak", "cpu", {"method": "MAX"}),
    ("cpu_limit", "cpu-limit", {}),
    ("memory", "memory", {}),  # Render aggregates cpu alone
    ("memory_limit", "memory-limit", {}),
    ("instances", "instance-count", {}),
)
WEB: Final[Plan] = (
    ("requests", "http-requests", {"aggregate_by": "statusCode"}),
    ("p50", "http-latency", {"quantile": 0.5}),
    ("p95", "http-latency", {"quantile": 0.95}),
    ("p99", "http-latency", {"quantile": 0.99}),
)
STORED: Final[Plan] = (
    ("disk", "disk-usage", {}),
    ("disk_size", "disk-capacity", {}),
)
CONNECTED: Final[Plan] = (("connections", "active-connections", {}),)
_FEW: Final = 10
"""Readings below which no growth is told."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value at one time; `label` is the status code of requests, the instance of the rest."""

    at: datetime
    value: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was read of one target, by name of the reading, and what happened to it meanwhile."""

    target: Target
    step: int
    readings: Mapping[str, Sequence[Reading]]
    events: tuple[Event, ...] = ()

    def values(self, name: str, start: datetime | None = None, end: datetime | None = None) -> list[float]:
        """The values of a reading, in a part of the window."""
        return [
            each.value
            for each in self.readings.get(name, ())
            if (start is None or each.at >= start) and (end is None or each.at < end)
        ]

    def counts(self, start: datetime | None = None, end: datetime | None = None) -> dict[str, float]:
        """Requests by status code; empty where Render gives none."""
        found: dict[str, float] = {}
        for each in self.readings.get("requests", ()):
            if (start is None or each.at >= start) and (end is None or each.at < end):
                found[each.label] = found.get(each.label, 0.0) + each.value
        return found

    def worst(self, name: str) -> Reading | None:
        """The highest reading and when it was."""
        return max(self.readings.get(name, ()), key=lambda each: each.value, default=None)


async def measure(
    render: RenderClient, targets: Sequence[Target], window: Window, part: Partial, *, path: str = ""
) -> list[Measured]:
    """Every target's readings: a handful of requests for each region, and one for each service's events."""
    step = step_of(window)
    found: dict[str, dict[str, list[Reading]]] = {target.id: {} for target in targets}

    async def one(name: str, metric: Metric, options: Mapping[str, Any], group: Sequence[Target]) -> None:
        of_path: dict[str, Any] = (
            {"path": path} if path and metric in {"http-requests", "http-latency"} else {}
        )
        series = await part(
            metric,
            render.get_metric(
                metric, [each.id for each in group], start=window.start, end=window.end, resolution=step,
                **options, **of_path,
            ),
            list[Series](),
        )  # fmt: skip
        for each in series:
            key = each.label("resource") or each.label("service")
            key = key if key in found else group[0].id if len(group) == 1 else ""
            if key:
                found[key].setdefault(name, []).extend(_readings(each, step))

    asked = [
        one(name, metric, options, chosen)
        for group in by_region(targets)
        for metrics, chosen in _plan(group)
        for name, metric, options in metrics
        if chosen
    ]
    services = [target for target in targets if target.kind not in {"postgres", "key_value", "job"}]
    events, _ = await asyncio.gather(
        asyncio.gather(*(_events(render, target, window, part) for target in services)),
        asyncio.gather(*asked),
    )
    happened = dict(zip((target.id for target in services), events, strict=True))
    return [
        Measured(target, step, found[target.id], tuple(happened.get(target.id, ()))) for target in targets
    ]


def step_of(window: Window) -> int:
    """Seconds between readings, so that a window has at most about 130 of them."""
    return next((step for step in STEPS if window.length.total_seconds() / step <= READINGS), STEPS[-1])


def middle(values: Iterable[float]) -> float | None:
    """The median, or None."""
    known = list(values)
    return median(known) if known else None


def mean(values: Iterable[float]) -> float | None:
    """The mean, or None."""
    known = list(values)
    return fmean(known) if known else None


def highest(values: Iterable[float]) -> float | None:
    """The highest, or None."""
    return max(values, default=None)


def growth(measured: Measured, name: str) -> float | None:
    """Growth an hour by least squares, of the fullest instance; None with fewer than ten readings."""
    by_instance: dict[str, list[Reading]] = {}
    for each in measured.readings.get(name, ()):
        by_instance.setdefault(each.label, []).append(each)
    if not by_instance:
        return None
    fullest = max(by_instance.values(), key=lambda each: max(one.value for one in each))
    if len(fullest) < _FEW:
        return None
    times = [(each.at - fullest[0].at).total_seconds() / 3_600 for each in fullest]
    centre, level = fmean(times), fmean(each.value for each in fullest)
    spread = sum((at - centre) ** 2 for at in times)
    if not spread:
        return None
    return sum((at - centre) * (each.value - level) for at, each in zip(times, fullest, strict=True)) / spread


def buckets(window: Window, step: int, many: int) -> list[tuple[datetime, datetime]]:
    """The window in at most so many parts of whole steps, the last one perhaps shorter."""
    steps = max(1, math.ceil(window.length.total_seconds() / step / max(1, many)))
    length, start, parts = timedelta(seconds=steps * step), window.start, list[tuple[datetime, datetime]]()
    while start < window.end:
        parts.append((start, min(start + length, window.end)))
        start += length
    return parts


def _plan(group: Sequence[Target]) -> list[tuple[Plan, list[Target]]]:
    """Which readings are asked for which targets: a worker has no requests, a database no path."""
    return [
        (WHOLE, [each for each in group if each.kind != "static_site"]),
        (WEB, [each for each in group if each.kind == "web_service"]),
        (STORED, [each for each in group if each.disk]),
        (CONNECTED, [each for each in group if each.kind in {"postgres", "key_value"}]),
    ]


async def _events(render: RenderClient, target: Target, window: Window, part: Partial) -> list[Event]:
    asked = render.list_events(target.id, kind=list(HAPPENED), start=window.start, end=window.end, most=200)
    return await part(f"events of {target.name}", asked, [])


def _readings(series: Series, step: int) -> list[Reading]:
    unit = series.unit.lower()
    factor = float(step) if unit.endswith("/s") else _FACTORS.get(unit, 1.0)
    label = series.label("statusCode") or series.label("instance")
    return [
        Reading(point.timestamp.astimezone(UTC), point.value * factor, label)
        for point in series.values
        if point.timestamp is not None and point.value is not None
    ]
