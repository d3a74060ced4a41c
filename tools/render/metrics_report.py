"""What read_metrics answers, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tools.registry import Result
from tools.wording import counted, figure, octets, percent, span, stamp, table

HIGH: Final = 0.85
"""A share of a limit from which on it is pointed at."""
FAILING: Final = 0.01
_SOON: Final = 24.0


class Slice(BaseModel):
    """One part of the window. Shares are from 0 to 1; None where Render gave nothing."""

    model_config = ConfigDict(frozen=True)

    start: datetime
    end: datetime
    cpu: float | None = Field(description="Mean CPUs of an instance.")
    memory: float | None = Field(description="Highest bytes of an instance.")
    instances: float | None
    requests: float | None
    failed: float | None = Field(description="Answers of 500 and above.")
    p95_ms: float | None = Field(description="The middle step's.")
    connections: float | None


class Measures(BaseModel):
    """One service or database over the window."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    kind: str
    cpu: float | None
    cpu_peak: float | None
    cpu_limit: float | None
    memory_peak: float | None
    memory_limit: float | None
    memory_per_hour: float | None
    instances: tuple[float, float] | None = Field(description="Fewest and most.")
    statuses: dict[str, float] = Field(description="Requests by status code.")
    latency_ms: dict[str, tuple[float, float]] = Field(description="p50, p95, p99: middle and worst step.")
    worst_at: datetime | None = Field(description="When p95 was worst.")
    disk: float | None
    disk_size: float | None
    connections: tuple[float, float] | None = Field(description="Mean and most.")
    failures: dict[str, int] = Field(description="Instances that died, by reason.")
    restarts: int = Field(description="Restarts that a person asked for.")
    deploys: tuple[datetime, ...]

    @property
    def requests(self) -> float | None:
        """All of them."""
        return sum(self.statuses.values()) if self.statuses else None

    def share(self, first: str) -> float | None:
        """The share of answers whose status begins with that digit."""
        total = self.requests
        return (
            sum(n for code, n in self.statuses.items() if code.startswith(first)) / total if total else None
        )


class Metrics(Result):
    """How services did."""

    window: str
    step: str
    measures: tuple[Measures, ...]
    slices: tuple[Slice, ...] = ()
    path: str = ""
    note: str = ""
    read_at: datetime

    def markdown(self) -> str:
        """One in depth, or a table of all; what is high is pointed at."""
        one = self.measures[0] if len(self.measures) == 1 else None
        of = one.name if one else counted(len(self.measures), "service")
        about = f", path {self.path}" if self.path else ""
        head = f"{of}: {self.window}{about}, readings every {self.step}"
        parts = [head, *([_depth(one, self.read_at)] if one else [_overview(self.measures)])]
        pointed = [f"{each.name}: {said}" for each in self.measures for said in notable(each, self.read_at)]
        parts += ["Worth a look: " + "; ".join(pointed)] if pointed else []
        parts += [_over_time(self.slices, one)] if one and self.slices else []
        return "\n\n".join([*parts, *([self.note] if self.note else [])])


def notable(each: Measures, now: datetime) -> list[str]:
    """What a person on call would point at."""
    said: list[str] = []
    for what, used, limit in (
        ("CPU peak", each.cpu_peak, each.cpu_limit),
        ("memory peak", each.memory_peak, each.memory_limit),
        ("disk", each.disk, each.disk_size),
    ):
        if used is not None and limit and used / limit >= HIGH:
            said.append(f"{what} {percent(used / limit)} of its limit")
    if (failing := each.share("5")) is not None and failing >= FAILING:
        said.append(f"{percent(failing)} of requests answered 5xx")
    said += [f"{counted(count, 'instance')} died: {reason}" for reason, count in each.failures.items()]
    if (hours := _hours_left(each)) is not None:
        said.append(
            f"memory grows {octets(each.memory_per_hour)} an hour: full in about {span(hours * 3_600)}"
        )
    return said


def _hours_left(each: Measures) -> float | None:
    """Until memory is full at its present growth; None where that is far, or growth is within the noise."""
    if not each.memory_per_hour or not each.memory_limit or each.memory_peak is None:
        return None
    if each.memory_per_hour < each.memory_limit * 0.01:
        return None
    hours = (each.memory_limit - each.memory_peak) / each.memory_per_hour
    return hours if 0 < hours <= _SOON else None


def _of(used: float | None, limit: float | None) -> str:
    return percent(used / limit) if used is not None and limit else ""


def _range(pair: tuple[float, float] | None) -> str:
    if pair is None:
        return ""
    return figure(pair[0]) if pair[0] == pair[1] else f"{figure(pair[0])}-{figure(pair[1])}"


def _overview(measures: Sequence[Measures]) -> str:
    headings = [
        "service", "type", "instances", "CPU mean", "CPU peak", "memory peak", "requests", "4xx", "5xx",
        "p50 ms", "p95 ms", "p95 worst", "connections", "disk", "died", "deploys",
    ]  # fmt: skip
    rows = [
        [
            each.name, each.kind, _range(each.instances), _of(each.cpu, each.cpu_limit),
            _of(each.cpu_peak, each.cpu_limit), _of(each.memory_peak, each.memory_limit),
            figure(each.requests), percent(each.share("4")), percent(each.share("5")),
            figure(each.latency_ms["p50"][0]) if "p50" in each.latency_ms else "",
            figure(each.latency_ms["p95"][0]) if "p95" in each.latency_ms else "",
            figure(each.latency_ms["p95"][1]) if "p95" in each.latency_ms else "",
            figure(each.connections[1]) if each.connections else "", _of(each.disk, each.disk_size),
            sum(each.failures.values()) or "", len(each.deploys) or "",
        ]
        for each in measures
    ]  # fmt: skip
    return table(headings, rows) + "\n\nCPU, memory and disk are shares of their limits."


def _depth(one: Measures, now: datetime) -> str:
    lines: list[str] = []
    if one.cpu is not None:
        limit = f" of {figure(one.cpu_limit)} CPU" if one.cpu_limit else ""
        mean_, peak = _of(one.cpu, one.cpu_limit), _of(one.cpu_peak, one.cpu_limit)
        lines.append(f"CPU: mean {mean_ or figure(one.cpu)}, peak {peak or figure(one.cpu_peak)}{limit}")
    if one.memory_peak is not None:
        limit = (
            f" of {octets(one.memory_limit)} ({_of(one.memory_peak, one.memory_limit)})"
            if one.memory_limit
            else ""
        )
        lines.append(f"memory: peak {octets(one.memory_peak)}{limit}")
    if one.instances:
        lines.append(f"instances: {_range(one.instances)}")
    if one.requests is not None:
        codes = ", ".join(f"{code} {figure(count)}" for code, count in one.statuses.items() if count)
        lines.append(f"requests: {figure(one.requests)}, 5xx {percent(one.share('5'))}; by status: {codes}")
    if one.latency_ms:
        each = [f"{name} {figure(mid)} (worst {figure(top)})" for name, (mid, top) in one.latency_ms.items()]
        at = f"; p95 was worst at {stamp(one.worst_at, now)}" if one.worst_at else ""
        lines.append(f"latency in ms, middle step: {', '.join(each)}{at}")
    if one.connections:
        lines.append(f"connections: mean {figure(one.connections[0])}, most {figure(one.connections[1])}")
    if one.disk is not None:
        size = f" of {octets(one.disk_size)} ({_of(one.disk, one.disk_size)})" if one.disk_size else ""
        lines.append(f"disk: {octets(one.disk)}{size}")
    deaths = ", ".join(f"{reason} ({count})" for reason, count in one.failures.items()) or "none"
    if one.kind not in {"postgres", "key_value"}:
        lines.append(f"instances that died: {deaths}; restarts asked for: {one.restarts}")
    if one.deploys:
        lines.append("deploys ended at " + ", ".join(stamp(at, now) for at in one.deploys[:6]))
    return "\n".join(f"- {line}" for line in lines) or "Render gives no figures for this window."


def _over_time(slices: Sequence[Slice], one: Measures) -> str:
    days = slices[-1].end - slices[0].start > timedelta(days=1)
    headings = ["from", "requests", "5xx", "p95 ms", "CPU", "memory peak", "instances", "connections"]
    rows = [
        [
            each.start.strftime("%m-%d %H:%M" if days else "%H:%M"),
            figure(each.requests),
            percent(each.failed / each.requests) if each.requests and each.failed is not None else "",
            figure(each.p95_ms),
            _of(each.cpu, one.cpu_limit) or figure(each.cpu),
            _of(each.memory, one.memory_limit) or octets(each.memory),
            figure(each.instances),
            figure(each.connections),
        ]
        for each in slices
    ]
    return table(headings, rows)
