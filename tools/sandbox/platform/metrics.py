"""The time series of the metrics endpoints. Units are in each series: cpu, bytes, ms, requests, connections.

The values of a step are taken at its start, over at most twelve readings for a step longer than a minute.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tools.sandbox.platform.clock import stamp
from tools.sandbox.platform.dice import unit
from tools.sandbox.platform.instances import instance_ids
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.signals import Signals, profile_of, signals, sizing_at
from tools.sandbox.platform.world import World

MEGA: Final = 1024 * 1024
PER_INSTANCE: Final = ("cpu", "memory", "cpu-limit", "memory-limit", "cpu-target", "memory-target")
RETENTION: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, cut into steps."""

    start: datetime
    end: datetime
    step: int = 60
    how: str = "AVG"

    def steps(self) -> list[datetime]:
        """The starts of the steps, on whole multiples of the step."""
        first = math.ceil(self.start.timestamp() / self.step) * self.step
        last = self.end.timestamp()
        return [
            datetime.fromtimestamp(t, self.start.tzinfo)
            for t in range(first, int(last) + 1, self.step)
            if t < last
        ]


def readings(world: World, resource: str, at: datetime, step: int) -> list[Signals]:
    """What was measured during one step."""
    count = min(12, max(1, step // 60))
    return [signals(world, resource, at + timedelta(seconds=step / count * index)) for index in range(count)]


VALUES: Final[dict[str, Callable[[Signals], float]]] = {
    "cpu": lambda each: each.cpu,
    "memory": lambda each: each.memory_mb * MEGA,
    "cpu-limit": lambda each: each.size.cpus,
    "memory-limit": lambda each: float(each.size.memory_mb * MEGA),
    "instance-count": lambda each: float(each.instances),
    "active-connections": lambda each: float(round(each.connections)),
    "disk-usage": lambda each: each.disk_mb * MEGA,
}
UNITS: Final = {
    "cpu": "cpu",
    "memory": "bytes",
    "cpu-limit": "cpu",
    "memory-limit": "bytes",
    "cpu-target": "cpu",
    "memory-target": "bytes",
    "instance-count": "instances",
    "active-connections": "connections",
    "disk-usage": "bytes",
    "disk-capacity": "bytes",
    "replication-lag": "seconds",
}


def gauge(world: World, name: str, resource: str, window: Window) -> list[Json]:
    """One of the plain metrics; per instance where Render gives it so."""
    spread = name in ("cpu", "memory")
    series: dict[str, list[Json]] = {}
    combine = {"AVG": _mean, "MAX": max, "MIN": min}[window.how]
    for at in window.steps():
        measured = readings(world, resource, at, window.step)
        value = combine([VALUES[name](each) for each in measured])
        ids = (
            instance_ids(world, resource, at) if name in PER_INSTANCE and resource in world.services else [""]
        )
        for instance in ids:
            factor = 0.96 + 0.08 * unit(world.seed, instance, name, at) if spread and instance else 1.0
            top = VALUES.get(f"{name}-limit")
            shown = min(value * factor, top(measured[0]) * 0.999) if top and spread else value
            series.setdefault(instance, []).append({"timestamp": stamp(at, 0), "value": round(shown, 6)})
    return [_series(resource, values, UNITS[name], instance=key) for key, values in series.items()]


def target(world: World, name: str, resource: str, window: Window) -> list[Json]:
    """cpu-target and memory-target: nothing without autoscaling."""
    hosted = world.services.get(resource)
    if hosted is None:
        return []
    values: list[Json] = []
    for at in window.steps():
        sizing = sizing_at(hosted, at)
        scaling = sizing.autoscaling
        percent = (
            (scaling.cpu if name == "cpu-target" else scaling.memory) if scaling and scaling.enabled else None
        )
        if percent is not None:
            size = signals(world, resource, at).size
            limit = size.cpus if name == "cpu-target" else size.memory_mb * MEGA
            values.append({"timestamp": stamp(at, 0), "value": limit * percent / 100})
    return [_series(resource, values, UNITS[name])] if values else []


def capacity(world: World, resource: str, window: Window) -> list[Json]:
    """disk-capacity of the disk of a service or of a database."""
    disks = [disk["sizeGB"] for disk in world.kind("disks").values() if disk["serviceId"] == resource]
    database = world.kind("postgres").get(resource)
    gigabytes = disks[0] if disks else database.get("diskSizeGB") if database else None
    if gigabytes is None:
        return []
    values = [{"timestamp": stamp(at, 0), "value": gigabytes * 1024 * MEGA} for at in window.steps()]
    return [_series(resource, values, "bytes")]


def requests(
    world: World, resource: str, window: Window, by: str | None, path: str | None = None
) -> list[Json]:
    """http-requests: how many in each step, for all or by status code or host."""
    profile = profile_of(world, resource)
    share = dict(profile.paths).get(path, 0.0) if path else 1.0
    series: dict[str, list[Json]] = {}
    for at in window.steps():
        measured = readings(world, resource, at, window.step)
        counts: dict[str, float] = {}
        for each in measured:
            many = each.per_minute * share * window.step / 60 / len(measured)
            for code, part in statuses(each).items():
                counts[code] = counts.get(code, 0.0) + many * part
        for code, number in counts.items():
            whole = math.floor(number + unit(world.seed, resource, "requests", code, at))
            key = code if by == "statusCode" else ""
            values = series.setdefault(key, [])
            if values and values[-1]["timestamp"] == stamp(at, 0):
                values[-1]["value"] += whole
            elif whole or not by:
                values.append({"timestamp": stamp(at, 0), "value": whole})
    label = "host" if by == "host" else "statusCode"
    named = {(host_of(world, resource) if by == "host" else key): values for key, values in series.items()}
    return [
        _series(resource, values, "requests", **({label: key} if key else {}))
        for key, values in named.items()
        if values
    ]


def statuses(each: Signals) -> dict[str, float]:
    """The shares of the status codes at a moment."""
    good = 1 - each.error_rate
    shares = {"200": 0.86, "201": 0.05, "204": 0.02, "304": 0.03, "401": 0.02, "404": 0.02}
    mix = {code: part * good for code, part in shares.items()}
    mix[str(each.error_status)] = mix.get(str(each.error_status), 0.0) + each.error_rate
    return mix


def latency(world: World, resource: str, window: Window, quantile: float, path: str | None) -> list[Json]:
    """http-latency in ms at one quantile."""
    values: list[Json] = []
    for at in window.steps():
        measured = readings(world, resource, at, window.step)
        if measured[0].per_minute <= 0:
            continue
        value = max(at_quantile(each.latency_ms, quantile) for each in measured)
        if path:
            value *= 0.7 + 0.6 * unit("path", path)
        noise = 0.94 + 0.12 * unit(world.seed, resource, "latency", at)
        values.append({"timestamp": stamp(at, 0), "value": round(value * noise, 3)})
    return [_series(resource, values, "ms", quantile=str(quantile))] if values else []


def at_quantile(known: tuple[float, float, float], quantile: float) -> float:
    """The latency at any quantile, through the median, p95 and p99 on a log scale."""
    middle, high, highest = known
    if quantile <= 0.95:
        part = (quantile - 0.5) / 0.45
        return middle * (high / middle) ** max(-0.6, part)
    return high * (highest / high) ** ((quantile - 0.95) / 0.04)


def host_of(world: World, resource: str) -> str:
    """The host name of a service."""
    hosted = world.services.get(resource)
    return f"{hosted.spec.slug}.onrender.com" if hosted else ""


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _series(resource: str, values: list[Json], measure: str, **labels: str) -> Json:
    pairs = [{"field": "resource", "value": resource}]
    pairs.extend({"field": field, "value": value} for field, value in labels.items() if value)
    return {"labels": pairs, "values": values, "unit": measure}
