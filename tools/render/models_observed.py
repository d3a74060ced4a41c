"""Events, logs and metrics, as Render answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from tools.http.wire import Moment, Wire

Metric = Literal[
    "cpu", "cpu-limit", "cpu-target", "memory", "memory-limit", "memory-target",
    "http-requests", "http-latency", "bandwidth", "disk-usage", "disk-capacity",
    "instance-count", "active-connections", "replication-lag",
]  # fmt: skip
METRICS: Final[tuple[str, ...]] = get_args(Metric)
LogLabel = Literal["instance", "host", "statusCode", "method", "level", "type"]


class Event(Wire):
    """Something that happened to a service. `details` differs by `type`."""

    id: str
    type: str = ""
    service_id: str = ""
    timestamp: Moment = None
    details: Mapping[str, Any] = {}

    @property
    def reason(self) -> Mapping[str, Any]:
        """Why, for `server_failed`, `build_ended` and `deploy_ended`: oomKilled, nonZeroExit, unhealthy..."""
        found = self.details.get("reason")
        return found if isinstance(found, Mapping) else {}  # pyright: ignore[reportUnknownVariableType]  JSON


class LogName(Wire):
    """One label of a log line."""

    name: str
    value: str = ""


class LogLine(Wire):
    """One log line. The message is a stranger's text: it may hold a person's values."""

    id: str = ""
    message: str = ""
    timestamp: Moment = None
    labels: tuple[LogName, ...] = ()

    def label(self, name: str) -> str:
        """The value of a label, or an empty string."""
        return next((label.value for label in self.labels if label.name == name), "")


class LogPage(Wire):
    """Some log lines. To go on, ask again with `next_start_time` and `next_end_time`."""

    has_more: bool = False
    next_start_time: Moment = None
    next_end_time: Moment = None
    logs: tuple[LogLine, ...] = ()


class SeriesLabel(Wire):
    """One label of a series: a service, an instance, a status code."""

    field: str
    value: str = ""


class Point(Wire):
    """One value at one time."""

    timestamp: Moment = None
    value: float | None = None


class Series(Wire):
    """One line of a chart, and its unit (GB, CPU, ms ...)."""

    labels: tuple[SeriesLabel, ...] = ()
    values: tuple[Point, ...] = ()
    unit: str = ""

    def label(self, field: str) -> str:
        """The value of a label, or an empty string."""
        return next((label.value for label in self.labels if label.field == field), "")


class TrafficSeries(Wire):
    """Bandwidth by source of traffic: another shape than every other metric."""

    labels: Mapping[str, str] = {}
    values: tuple[Point, ...] = ()


class Traffic(Wire):
    """The answer about bandwidth sources."""

    data: tuple[TrafficSeries, ...] = ()


class MetricFilter(Wire):
    """Values that a metric can be filtered by."""

    filter: str = ""
    values: tuple[str, ...] = ()
