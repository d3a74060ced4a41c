"""The tool read_metrics."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from pydantic import Field

from tools.errors import InvalidInput
from tools.logs.windows import SAID, Window, parse_window
from tools.partial import Partial
from tools.registry import Effect, Params, tool
from tools.render.describing import reason_words
from tools.render.measuring import Measured, buckets, growth, highest, mean, measure, middle
from tools.render.metrics_report import Measures, Metrics, Slice
from tools.render.targets import find_targets
from tools.resources import Resources
from tools.wording import span

RETENTION: Final = timedelta(days=30)
_SHORTEST: Final = timedelta(minutes=2)


class ReadMetrics(Params):
    """Arguments of read_metrics."""

    services: tuple[str, ...] = Field(
        default=(),
        max_length=30,
        description="Names or ids of services, Postgres or Key Value; none: every service.",
    )
    window: str = Field(default="1h", max_length=100, description=SAID)
    path: str = Field(default="", max_length=200, description="Requests and latency of this path only.")
    rows: int = Field(default=8, ge=0, le=48, description="Rows of the table over time, for one alone.")


@tool(Effect.READ, open_world=True)
async def read_metrics(params: ReadMetrics, resources: Resources) -> Metrics:
    """Read how services do on Render: CPU and memory against their limits, requests, 5xx, latency, restarts.

    Without arguments all services over the last hour in one table; one service alone is told in depth, over
    time. Why something is so stands in read_logs and describe_service, or ask diagnose_service. Statements
    that cost the database most are in pg_stat_statements (execute_sql), not here.
    """
    render, part = resources.render, Partial()
    window = parse_window(params.window, resources.now(), longest=RETENTION)
    if window.length < _SHORTEST:
        raise InvalidInput("Metrics need a window of two minutes or more.")
    targets = await find_targets(render, params.services)
    if params.path and not any(target.kind == "web_service" for target in targets):
        raise InvalidInput("Only web services have requests by path.")
    measured = await measure(render, targets, window, part, path=params.path)
    alone = len(measured) == 1
    return Metrics(
        window=window.label,
        step=span(measured[0].step),
        measures=tuple(map(_measures, measured)),
        slices=_slices(measured[0], window, params.rows) if alone and params.rows else (),
        path=params.path,
        note=part.note(),
        read_at=resources.now(),
    )


def _measures(one: Measured) -> Measures:
    failures = Counter(
        reason_words(event.reason) or "no reason given"
        for event in one.events
        if event.type in {"server_failed", "server_hardware_failure"}
    )
    instances, connections = one.values("instances"), one.values("connections")
    worst = one.worst("p95")
    return Measures(
        id=one.target.id,
        name=one.target.name,
        kind=one.target.kind,
        cpu=mean(one.values("cpu")),
        cpu_peak=highest(one.values("cpu_peak")),
        cpu_limit=highest(one.values("cpu_limit")),
        memory_peak=highest(one.values("memory")),
        memory_limit=highest(one.values("memory_limit")),
        memory_per_hour=growth(one, "memory"),
        instances=(min(instances), max(instances)) if instances else None,
        statuses=dict(sorted(one.counts().items())),
        latency_ms={
            name: (middle(values) or 0.0, max(values))
            for name in ("p50", "p95", "p99")
            if (values := one.values(name))
        },
        worst_at=worst.at if worst else None,
        disk=highest(one.values("disk")),
        disk_size=highest(one.values("disk_size")),
        connections=(mean(connections) or 0.0, max(connections)) if connections else None,
        failures=dict(failures.most_common(5)),
        restarts=sum(event.type == "server_restarted" for event in one.events),
        deploys=tuple(
            event.timestamp for event in one.events if event.type == "deploy_ended" and event.timestamp
        ),
    )


def _slices(one: Measured, window: Window, rows: int) -> tuple[Slice, ...]:
    return tuple(_slice(one, start, end) for start, end in buckets(window, one.step, rows))


def _slice(one: Measured, start: datetime, end: datetime) -> Slice:
    counts = one.counts(start, end)
    return Slice(
        start=start,
        end=end,
        cpu=mean(one.values("cpu", start, end)),
        memory=highest(one.values("memory", start, end)),
        instances=highest(one.values("instances", start, end)),
        requests=sum(counts.values()) if counts else None,
        failed=sum(n for code, n in counts.items() if code.startswith("5")) if counts else None,
        p95_ms=middle(one.values("p95", start, end)),
        connections=highest(one.values("connections", start, end)),
    )
