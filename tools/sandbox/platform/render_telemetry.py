"""Events, logs and metrics."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any, Final

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tools.sandbox.platform import metrics
from tools.sandbox.platform.calls import Call, Reply, Wrong, paged, route
from tools.sandbox.platform.clock import moment_of
from tools.sandbox.platform.events import events, wire
from tools.sandbox.platform.instances import instance_ids
from tools.sandbox.platform.logs import FILTERS, RETENTION, LogQuery, label_values, page, search
from tools.sandbox.platform.logs import wire as log_wire
from tools.sandbox.platform.metrics import Window
from tools.sandbox.platform.signals import profile_of
from tools.sandbox.platform.world import World

POINTS_AT_MOST: Final = 30_000
HOUR: Final = timedelta(hours=1)


def list_events(call: Call) -> Reply:
    """GET /services/{id}/events, newest first; without a start it looks fourteen days back."""
    hosted = call.hosted()
    end = min(call.moment("endTime", call.now), call.now)
    start = call.moment("startTime", end - metrics.RETENTION)
    wanted = [part for each in call.queries("type") for part in each.split(",")]
    found = events(call.world, hosted, start, end)
    shown: list[tuple[str, Any]] = [
        (each.id, wire(each)) for each in found if not wanted or each.type in wanted
    ]
    return paged(call, "event", shown)


def get_event(call: Call) -> Reply:
    """GET /events/{id}."""
    for hosted in call.world.services.values():
        for each in events(call.world, hosted, call.now - metrics.RETENTION, call.now):
            if each.id == call.path("event"):
                return wire(each)
    raise Wrong(404, f"not found: {call.path('event')}")


def list_logs(call: Call) -> Reply:
    """GET /logs; without a start it looks one hour back."""
    return page(call.world, _log_query(call))


def list_label_values(call: Call) -> Reply:
    """GET /logs/values?label=."""
    label = call.query("label")
    if label not in ("instance", "host", "statusCode", "method", "level", "type"):
        raise Wrong(400, f"invalid label: {label}")
    return label_values(call.world, _log_query(call), label)


def _log_query(call: Call) -> LogQuery:
    if call.query("ownerId") not in call.world.kind("owners") or call.key.role == "stranger":
        raise Wrong(404 if call.query("ownerId") else 400, f"not found: {call.query('ownerId')}")
    resources = _resources(call)
    if not resources:
        raise Wrong(400, "resource is required")
    end = min(call.moment("endTime", call.now), call.now)
    start = max(call.moment("startTime", end - HOUR), call.now - RETENTION)
    direction = call.query("direction", "backward")
    limit = call.query("limit", "20")
    if direction not in ("backward", "forward") or not limit.isdigit() or not 1 <= int(limit) <= 100:
        raise Wrong(400, "invalid direction or limit")
    filters = {name: values for name in FILTERS if (values := call.queries(name))}
    return LogQuery(tuple(resources), start, end, direction == "backward", int(limit), filters)


def _resources(call: Call) -> list[str]:
    named = [part for each in call.queries("resource") for part in each.split(",")]
    regions: set[str] = set()
    for key in named:
        region = _region(call.world, key)
        if region is None:
            raise Wrong(404, f"not found: {key}")
        regions.add(region)
    if len(regions) > 1:
        raise Wrong(400, "all resources must be in the same region")
    return named


def _region(world: World, key: str) -> str | None:
    if key in world.services:
        return world.services[key].spec.region
    for kind in ("postgres", "key-value"):
        if key in world.kind(kind):
            return str(world.kind(kind)[key]["region"])
    jobs = [hosted for hosted in world.services.values() if key in hosted.jobs]
    return jobs[0].spec.region if jobs else None


async def subscribe(socket: WebSocket) -> None:
    """GET /logs/subscribe: every new line as one JSON text, until the client leaves."""
    platform = socket.app.state.platform
    resources = tuple(socket.query_params.getlist("resource"))
    filters = {name: values for name in FILTERS if (values := socket.query_params.getlist(name))}
    since = platform.clock.now()  # before the client knows that it is heard
    await socket.accept()
    try:
        while True:
            now = platform.clock.now()
            query = LogQuery(resources, since, now, False, 500, filters)
            for line in search(platform.world, query)[0]:
                await socket.send_text(json.dumps(log_wire(platform.world, line)))
            since = now
            await asyncio.sleep(0.05)
    except (WebSocketDisconnect, RuntimeError):
        return


def _window(call: Call) -> Window:
    end = min(call.moment("endTime", call.now), call.now)
    start = max(call.moment("startTime", end - HOUR), call.now - metrics.RETENTION)
    step = call.query("resolutionSeconds", "60")
    if not step.isdigit() or int(step) < 30:
        raise Wrong(400, "resolutionSeconds must be at least 30")
    how = call.query("aggregationMethod", "AVG")
    if how not in ("AVG", "MAX", "MIN"):
        raise Wrong(400, "invalid aggregationMethod")
    if start > end or (end - start).total_seconds() / int(step) > POINTS_AT_MOST:
        raise Wrong(400, "invalid time range")
    return Window(start, end, int(step), how)


def _measured(call: Call) -> list[str]:
    if call.key.role == "stranger":
        raise Wrong(404, "not found")
    named = _resources(call) or call.queries("service")
    if not named:
        raise Wrong(400, "resource is required")
    return named


def get_metric(call: Call) -> Reply:
    """GET /metrics/{name}."""
    name = call.path("name")
    window = _window(call)
    shown: list[Any] = []
    for resource in _measured(call):
        if name in metrics.VALUES and not (
            name == "active-connections" and not profile_of(call.world, resource).connections
        ):
            shown.extend(metrics.gauge(call.world, name, resource, window))
        elif name in ("cpu-target", "memory-target"):
            shown.extend(metrics.target(call.world, name, resource, window))
        elif name == "disk-capacity":
            shown.extend(metrics.capacity(call.world, resource, window))
        elif name == "http-requests":
            by = call.query("aggregateBy") or None
            shown.extend(metrics.requests(call.world, resource, window, by, call.query("path") or None))
        elif name == "http-latency":
            quantile = call.query("quantile", "0.95")
            if not 0 <= float(quantile) <= 1:
                raise Wrong(400, "invalid quantile")
            shown.extend(
                metrics.latency(call.world, resource, window, float(quantile), call.query("path") or None)
            )
        elif name == "bandwidth":
            shown.extend(_bandwidth(call, resource, window))
        elif name not in ("replication-lag", "active-connections"):
            raise Wrong(404, f"not found: {name}")
    instances = call.queries("instance")
    if instances:
        shown = [each for each in shown if any(pair["value"] in instances for pair in each["labels"])]
    return shown


def _bandwidth(call: Call, resource: str, window: Window) -> list[Any]:
    hourly = Window(window.start, window.end, max(3600, window.step))
    series = metrics.requests(call.world, resource, hourly, None)
    for each in series:
        each["unit"] = "MB"
        each["values"] = [{**point, "value": round(point["value"] * 0.012, 3)} for point in each["values"]]
    return series


def bandwidth_sources(call: Call) -> Reply:
    """GET /metrics/bandwidth-sources, which has a shape of its own: whole seconds and an object."""
    series: list[Any] = []
    for resource in _measured(call):
        for each in _bandwidth(call, resource, _window(call)):
            for source, part in (
                ("total", 1.0),
                ("http", 0.93),
                ("websocket", 0.0),
                ("nat", 0.07),
                ("privatelink", 0.0),
            ):
                values = [
                    {
                        "timestamp": int(moment_of(point["timestamp"]).timestamp()),
                        "value": round(point["value"] * part, 3),
                    }
                    for point in each["values"]
                ]
                series.append({"labels": {"resource": resource, "trafficSource": source}, "values": values})
    return {"data": series}


def application_filters(call: Call) -> Reply:
    """GET /metrics/filters/application."""
    ids = [key for resource in _measured(call) for key in instance_ids(call.world, resource, call.now)]
    return [{"filter": "instance", "values": ids}]


def http_filters(call: Call) -> Reply:
    """GET /metrics/filters/http."""
    named = _measured(call)
    hosts = [metrics.host_of(call.world, key) for key in named if key in call.world.services]
    codes = {code for key in named for code in metrics.statuses(metrics.signals(call.world, key, call.now))}
    return [{"filter": "host", "values": hosts}, {"filter": "statusCode", "values": sorted(codes)}]


def path_filters(call: Call) -> Reply:
    """GET /metrics/filters/path."""
    return [path for key in _measured(call) for path, _ in profile_of(call.world, key).paths]


ROUTES: Final = [
    route("GET", "/services/{service}/events", list_events),
    route("GET", "/events/{event}", get_event),
    route("GET", "/logs", list_logs),
    route("GET", "/logs/values", list_label_values),
    WebSocketRoute("/logs/subscribe", subscribe),
    route("GET", "/metrics/bandwidth-sources", bandwidth_sources),
    route("GET", "/metrics/filters/application", application_filters),
    route("GET", "/metrics/filters/http", http_filters),
    route("GET", "/metrics/filters/path", path_filters),
    route("GET", "/metrics/{name}", get_metric),
]
