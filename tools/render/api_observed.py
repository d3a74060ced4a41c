"""Events, logs and metrics of services and databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tools.errors import InvalidInput
from tools.render.endpoints import Endpoints, Names, at_least
from tools.render.models_observed import (
    METRICS,
    Event,
    LogLabel,
    LogLine,
    LogPage,
    Metric,
    MetricFilter,
    Series,
    Traffic,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which log lines. Resources must be in one region and one workspace; texts take `*` and /regex/."""

    owner: str
    resources: Sequence[str]
    start: datetime | None = None
    end: datetime | None = None
    direction: Literal["forward", "backward"] | None = None
    kind: Sequence[str] = ()
    """app, request, build."""
    level: Sequence[str] = ()
    text: Sequence[str] = ()
    instance: Sequence[str] = ()
    host: Sequence[str] = ()
    status_code: Sequence[str] = ()
    method: Sequence[str] = ()
    path: Sequence[str] = ()

    def params(self) -> dict[str, Any]:
        """As query parameters. Raises InvalidInput when it names no resource."""
        if not self.owner or not self.resources:
            raise InvalidInput("Logs need a workspace and at least one resource.")
        return {
            "ownerId": self.owner, "resource": list(self.resources),
            "startTime": self.start, "endTime": self.end, "direction": self.direction,
            "type": self.kind, "level": self.level, "text": self.text, "instance": self.instance,
            "host": self.host, "statusCode": self.status_code, "method": self.method, "path": self.path,
        }  # fmt: skip


class Observed(Endpoints):
    """What happened and how it goes."""

    async def list_events(
        self,
        service: str,
        *,
        kind: Names | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        most: int = 100,
    ) -> list[Event]:
        """The events of a service, newest first."""
        params = {"type": kind, "startTime": start, "endTime": end}
        return await self._all(Event, "event", "/services/{}/events", service, params=params, most=most)

    async def get_event(self, event: str) -> Event:
        """One event."""
        return await self._one(Event, "GET", "/events/{}", event)

    async def list_logs(self, query: LogQuery, *, most: int = 100) -> LogPage:
        """At most `most` lines, read page by page; `has_more` and the next times say how to go on."""
        at_least("most", most, 1, 10_000)
        params, lines = query.params(), list[LogLine]()
        while True:
            params["limit"] = min(100, most - len(lines))
            page = (await self.http.call("GET", "/logs", params=params)).parsed(LogPage)
            lines += page.logs
            following = (page.next_start_time, page.next_end_time)
            stuck = following == (params["startTime"], params["endTime"])
            if not page.has_more or not page.logs or stuck or None in following or len(lines) >= most:
                return page.model_copy(update={"logs": tuple(lines)})
            params["startTime"], params["endTime"] = following

    async def list_log_values(self, query: LogQuery, label: LogLabel, *, most: int = 100) -> list[str]:
        """The values that a label has among these lines."""
        params = {**query.params(), "label": label, "limit": at_least("most", most, 1, 100)}
        return await self._plain(str, "/logs/values", params=params)

    def follow_logs(self, query: LogQuery) -> AsyncIterator[LogLine]:
        """New log lines as they come, until the caller stops."""
        from tools.render.following import follow

        return follow(self.http, query.params())

    async def get_metric(
        self,
        metric: Metric,
        resources: Sequence[str],
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        resolution: int | None = None,
        instance: str | None = None,
        host: str | None = None,
        path: str | None = None,
        quantile: float | None = None,
        aggregate_by: Literal["statusCode", "host"] | None = None,
        method: Literal["AVG", "MAX", "MIN"] | None = None,
    ) -> list[Series]:
        """One metric as series. `resolution` is in seconds, 30 or more; `quantile` is for latency only."""
        _check_metric(metric, resources, resolution, quantile)
        params = {
            "resource": list(resources), "startTime": start, "endTime": end,
            "resolutionSeconds": resolution, "instance": instance, "host": host, "path": path,
            "quantile": quantile, "aggregateBy": aggregate_by, "aggregationMethod": method,
        }  # fmt: skip
        return await self._plain(Series, "/metrics/{}", metric, params=params)

    async def get_bandwidth_sources(
        self, resources: Sequence[str], *, start: datetime | None = None, end: datetime | None = None
    ) -> Traffic:
        """Bandwidth by source of traffic."""
        params = {"resource": list(resources), "startTime": start, "endTime": end}
        return (await self.http.call("GET", "/metrics/bandwidth-sources", params=params)).parsed(Traffic)

    async def list_metric_filters(
        self,
        kind: Literal["application", "http"],
        resources: Sequence[str],
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> list[MetricFilter]:
        """Instances, hosts and status codes that metrics can be filtered by."""
        params = {"resource": list(resources), "startTime": start, "endTime": end}
        return await self._plain(MetricFilter, "/metrics/filters/{}", kind, params=params)

    async def list_metric_paths(
        self, resources: Sequence[str], *, start: datetime | None = None, end: datetime | None = None
    ) -> list[str]:
        """Paths that HTTP metrics can be filtered by."""
        params = {"resource": list(resources), "startTime": start, "endTime": end}
        return await self._plain(str, "/metrics/filters/path", params=params)


def _check_metric(
    metric: str, resources: Sequence[str], resolution: int | None, quantile: float | None
) -> None:
    if metric not in METRICS:
        raise InvalidInput(f"There is no metric {metric}; there are {', '.join(METRICS)}.")
    if not resources:
        raise InvalidInput("A metric needs at least one resource.")
    if resolution is not None:
        at_least("resolution", resolution, 30, 86_400)
    if quantile is not None and not (metric == "http-latency" and 0 < quantile <= 1):
        raise InvalidInput("A quantile is from 0 to 1, and only for http-latency.")
