"""Reads the loads. Nothing is concluded from a figure that could not be read.

The window is read by the hour; before anything is proposed, the busiest days are read again by the minute,
because Render says neither how it puts an hour's readings together nor whether `aggregationMethod` (which
only cpu takes) goes over time or over instances.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from tools.render.costing.load import EVENTS, HOUR, Hour, Load, by_hour, runs_of, spread
from tools.render.costing.prices import HOURS
from tools.render.models_observed import Event, Metric, Series

if TYPE_CHECKING:
    from tools.partial import Partial
    from tools.render.client import RenderClient

DAYS: Final = 14
_KINDS: Final = (
    "server_failed", "deploy_ended", "cron_job_run_started", "cron_job_run_ended",
)  # fmt: skip


class Readings:
    """Reads loads; what cannot be read is noted in `part`."""

    def __init__(self, render: RenderClient, part: Partial, now: datetime, days: int = DAYS) -> None:
        self.render, self.part, self.now = render, part, now
        self.start = now - timedelta(days=days)
        self.asked = days * 24

    async def service(self, key: str, name: str, *, web: bool, instances: int | None) -> Load:
        """A web service, private service or worker."""
        load, count, requests, egress, events = await asyncio.gather(
            self._sizes(key, name),
            self._series("instance-count", key, name),
            self._series("http-requests", key, name) if web else _nothing(),
            self._series("bandwidth", key, name, step=None),
            self._events(key, name),
        )
        counts = by_hour(count or (), max)
        hours = tuple(
            replace(hour, instances=max(1.0, counts.get(hour.at, float(instances or 1))))
            for hour in load.hours
        )
        mean = sum(counts.values()) / len(counts) if counts else None
        return replace(
            load,
            hours=hours,
            instances=mean,
            requests=None if requests is None or not web else by_hour(requests, sum),
            egress_gb=self._monthly_gb(egress),
            killed=sum(1 for each in events or () if "oomKilled" in each.reason),
            released=next((e.timestamp for e in events or () if e.type == "deploy_ended"), None),
            events_read=events is not None,
        )

    async def store(self, key: str, name: str, *, disk: bool) -> Load:
        """A Postgres database or Key Value instance."""
        load, connections, used = await asyncio.gather(
            self._sizes(key, name),
            self._series("active-connections", key, name),
            self._series("disk-usage", key, name) if disk else _nothing(),
        )
        busy = list(by_hour(connections or (), sum).values())
        full = list(by_hour(used or (), max).values())
        return replace(load, connections=spread(busy, busy), disk_used=max(full, default=None))

    async def cron(self, key: str, name: str) -> Load:
        """A cron job: its runs, as far back as its latest events go."""
        events = await self._events(key, name)
        return Load(
            self.asked, runs=runs_of(events or (), self.start, self.now), events_read=events is not None
        )

    async def site(self, key: str, name: str) -> Load:
        """A static site: only its traffic costs."""
        return Load(
            self.asked, egress_gb=self._monthly_gb(await self._series("bandwidth", key, name, step=None))
        )

    async def again(self, key: str, name: str, load: Load) -> Load | None:
        """The load with its busiest days read again by the minute; None where that could not be done."""
        if not load.hours:
            return None
        tops = (max(load.hours, key=lambda each: each.cpu), max(load.hours, key=lambda each: each.memory))
        metrics: tuple[Metric, Metric] = ("cpu", "memory")
        asked: list[Awaitable[list[Series] | None]] = []
        for metric, top in zip(metrics, tops, strict=True):
            start = max(self.start, top.at - 12 * HOUR)
            method = "MAX" if metric == "cpu" else None
            end = min(self.now, start + 24 * HOUR)
            asked.append(self._series(metric, key, name, method=method, start=start, end=end, step=60))
        found = await asyncio.gather(*asked)
        cpu, memory = (by_hour(series or (), max) for series in found)
        return load.refined(cpu, memory) if cpu and memory else None

    async def _sizes(self, key: str, name: str) -> Load:
        means, tops, memory = await asyncio.gather(
            self._series("cpu", key, name, method="AVG"),
            self._series("cpu", key, name, method="MAX"),
            self._series("memory", key, name),
        )
        cpu_mean, cpu_top, full = (
            by_hour(means or (), max),
            by_hour(tops or (), max),
            by_hour(memory or (), max),
        )
        both = sorted(cpu_top.keys() & full.keys())
        hours = tuple(Hour(at, max(cpu_top[at], cpu_mean.get(at, 0.0)), full[at]) for at in both)
        return Load(
            self.asked,
            hours,
            spread(cpu_mean.values(), [hour.cpu for hour in hours]),
            spread(full.values(), [hour.memory for hour in hours]),
        )

    async def _series(
        self,
        metric: Metric,
        key: str,
        name: str,
        *,
        method: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        step: int | None = 3600,
    ) -> list[Series] | None:
        asked = self.render.get_metric(
            metric,
            [key],
            start=start or self.start,
            end=end or self.now,
            resolution=step,
            method=method,  # type: ignore[arg-type]  # AVG or MAX, constants above
        )
        found: list[Series] | None = await self.part(f"{metric} of {name}", asked, None)
        return found

    async def _events(self, key: str, name: str) -> list[Event] | None:
        asked = self.render.list_events(key, kind=_KINDS, start=self.start, most=EVENTS)
        found: list[Event] | None = await self.part(f"events of {name}", asked, None)
        return found

    def _monthly_gb(self, series: Sequence[Series] | None) -> float | None:
        amounts = by_hour(series or (), sum)
        if not amounts:
            return None
        hours = (max(amounts) - min(amounts)) / HOUR + 1
        return sum(amounts.values()) / hours * HOURS / 1e9


async def _nothing() -> list[Series] | None:
    return []
