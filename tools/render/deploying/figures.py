"""How a service does in a window of time: what a deploy is judged by, before and after.

A figure that Render does not give (a worker has no requests, a plan no metrics) is None and is named in
`missing`; nothing is concluded from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel, ConfigDict

from tools.errors import ConfigurationError, SergeiError
from tools.render.deploying.fingerprints import counted
from tools.render.deploying.reasons import failure_words, is_ours
from tools.render.models import Service
from tools.render.models_observed import Event, LogLine, Metric, Series

if TYPE_CHECKING:
    from tools.render.client import RenderClient

STEP: Final = 60
LINES: Final = 300
"""Log lines that are read at most for one question."""
_UNITS: Final = {"gb": 1e9, "gib": 2**30, "mb": 1e6, "mib": 2**20, "kb": 1e3, "kib": 2**10}
T = TypeVar("T")


class Figures(BaseModel):
    """One window. `failed` are answers of 500 and above, `failures` instances that died by themselves.

    At most 300 lines are read of a log (`cut`: there were more error lines); rates are lines a minute.
    """

    model_config = ConfigDict(frozen=True)

    start: datetime
    end: datetime
    requests: int | None = None
    failed: int | None = None
    p95_ms: float | None = None
    latencies: tuple[float, ...] = ()
    memory_peak: float | None = None
    memory_limit: float | None = None
    memory_per_hour: float | None = None
    failures: tuple[str, ...] | None = None
    errors: dict[str, int] | None = None
    error_lines: int | None = None
    error_rate: float | None = None
    lines: int | None = None
    line_rate: float | None = None
    cut: bool = False
    missing: tuple[str, ...] = ()

    @property
    def minutes(self) -> float:
        """Its length."""
        return max((self.end - self.start).total_seconds() / 60, 1 / 60)

    @property
    def share(self) -> float | None:
        """Answers of 500 and above among all, 0 to 1."""
        return self.failed / self.requests if self.requests and self.failed is not None else None

    @property
    def fullness(self) -> float | None:
        """The peak of memory as a share of the limit."""
        if self.memory_peak is None or not self.memory_limit:
            return None
        return self.memory_peak / self.memory_limit


async def measure(render: RenderClient, service: Service, start: datetime, end: datetime) -> Figures:
    """Everything that can be had of this window."""
    missing: list[str] = []

    async def series(metric: Metric, quantile: float | None = None, *, codes: bool = False) -> list[Series]:
        asked = render.get_metric(
            metric, [service.id], start=start, end=end, resolution=STEP, quantile=quantile,
            aggregate_by="statusCode" if codes else None,
        )  # fmt: skip
        return await _or_none(metric, asked, missing) or []

    async def traffic() -> tuple[list[Series], list[Series]]:
        if service.type != "web_service":
            return [], []
        return await series("http-requests", codes=True), await series("http-latency", 0.95)

    web, memory, limit, events, errors, lines = await asyncio.gather(
        traffic(),
        series("memory"),
        series("memory-limit"),
        _or_none("events", render.list_events(service.id, start=start, end=end, most=100), missing),
        _or_none("error lines", _logs(render, service, start, end, ("error",)), missing),
        _or_none("log lines", _logs(render, service, start, end, ()), missing),
    )
    total, failed = _counts(web[0])
    latencies = tuple(point.value for one in web[1] for point in one.values if point.value is not None)
    peak, slope = _memory(memory)
    return Figures(
        start=start,
        end=end,
        requests=total,
        failed=failed,
        p95_ms=round(median(latencies), 1) if latencies else None,
        latencies=latencies,
        memory_peak=peak,
        memory_limit=max((value for one in limit for value in _bytes(one)), default=None),
        memory_per_hour=slope,
        failures=None if events is None else _failures(events),
        errors=None if errors is None else counted(line.message for line in errors),
        error_lines=None if errors is None else len(errors),
        error_rate=_rate(errors, start, end),
        lines=None if lines is None else len(lines),
        line_rate=_rate(lines, start, end),
        cut=len(errors or ()) >= LINES,
        missing=tuple(missing),
    )


def _rate(lines: Sequence[LogLine] | None, start: datetime, end: datetime) -> float | None:
    """Lines a minute, over the time from which they were really read: the newest come first."""
    if lines is None:
        return None
    oldest = lines[-1].timestamp if len(lines) >= LINES else None
    return len(lines) / max((end - (oldest or start)).total_seconds() / 60, 1 / 60)


def _failures(events: Sequence[Event]) -> tuple[str, ...]:
    failed = (event.reason for event in events if event.type == "server_failed")
    return tuple(failure_words(reason) for reason in failed if is_ours(reason))


async def _or_none(name: str, asked: Awaitable[T], missing: list[str]) -> T | None:
    """The answer, or None with the reason noted: a figure less is no reason to stop."""
    try:
        return await asked
    except ConfigurationError:
        raise  # the key is not accepted: nothing else will work
    except SergeiError as error:
        missing.append(f"{name} ({error.code or error.kind})")
        return None


async def _logs(
    render: RenderClient, service: Service, start: datetime, end: datetime, level: Sequence[str]
) -> tuple[LogLine, ...]:
    from tools.render.api_observed import LogQuery

    query = LogQuery(
        owner=service.owner_id, resources=[service.id], start=start, end=end, kind=("app",), level=level,
        direction="backward",
    )  # fmt: skip
    return (await render.list_logs(query, most=LINES)).logs


def _counts(series: Sequence[Series]) -> tuple[int | None, int | None]:
    if not any(one.values for one in series):
        return None, None
    total = failed = 0.0
    for one in series:
        per = STEP if one.unit.endswith("/s") else 1
        amount = sum(point.value or 0 for point in one.values) * per
        total += amount
        failed += amount if one.label("statusCode").startswith("5") else 0
    return round(total), round(failed)


def _bytes(series: Series) -> list[float]:
    factor = _UNITS.get(series.unit.lower(), 1.0)
    return [point.value * factor for point in series.values if point.value is not None]


def _memory(series: Sequence[Series]) -> tuple[float | None, float | None]:
    """The highest reading of any instance, and how fast the fullest one grows, in bytes an hour."""
    fullest = max(series, key=lambda one: max(_bytes(one), default=0.0), default=None)
    values = _bytes(fullest) if fullest else []
    if not values:
        return None, None
    return max(values), _slope(values) * 3600 / STEP if len(values) >= 6 else None


def _slope(values: Sequence[float]) -> float:
    """Growth from one reading to the next, by least squares."""
    middle, mean = (len(values) - 1) / 2, sum(values) / len(values)
    spread = sum((index - middle) ** 2 for index in range(len(values)))
    return sum((index - middle) * (value - mean) for index, value in enumerate(values)) / spread


def window(now: datetime, serving_since: datetime | None, minutes: int = 15) -> tuple[datetime, datetime]:
    """The last quarter of an hour, or less where the release does not serve that long."""
    start = now - timedelta(minutes=minutes)
    return (max(start, serving_since) if serving_since and serving_since < now else start), now
