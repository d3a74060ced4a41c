"""Logs, statistics, health and advisors of a Supabase project, and its database queries."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from tools.sandbox.platform.calls import Call, Reply, Wrong, route
from tools.sandbox.platform.clickhouse import prepared, run, sources
from tools.sandbox.platform.clickhouse_parse import BadQuery
from tools.sandbox.platform.dice import unit
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.supabase_calls import PROJECT, project
from tools.sandbox.platform.supabase_logs import rows

COMPONENTS: Final = ("auth", "db", "db_postgres_user", "pooler", "realtime", "rest", "storage", "pg_bouncer")
LONGEST: Final = timedelta(hours=24)
INTERVALS: Final = {"15min": 1, "1hr": 5, "3hr": 15, "1day": 60}
"""Minutes of a step for each interval of the statistics."""
CHANGES: Final = re.compile(
    r"\b(insert|update|delete|create|alter|drop|truncate|grant|revoke|copy|do|call)\b", re.I
)


def logs(call: Call) -> Reply:
    """GET /analytics/endpoints/logs: errors of the query come with status 200."""
    found = project(call)
    end = min(call.moment("iso_timestamp_end", call.now), call.now)
    named = call.query("iso_timestamp_start") and call.query("iso_timestamp_end")
    start = (
        call.moment("iso_timestamp_start", end - timedelta(minutes=1))
        if named
        else end - timedelta(minutes=1)
    )
    start = start.replace(second=0, microsecond=0)
    if named:
        end = end.replace(second=0, microsecond=0) + timedelta(
            minutes=1 if end.second or end.microsecond else 0
        )
    if end - start > LONGEST + timedelta(minutes=1):
        return _refused("Timestamp range can be no more than 24 hours apart")
    sql = (
        call.query("sql") or "select id, timestamp, event_message from logs order by timestamp desc limit 100"
    )
    try:
        query = prepared(sql)
        result = run(query, list(rows(found, call.world.seed, start, end, sources(query))), call.now)
    except BadQuery as error:
        return _refused(str(error))
    return {"result": result, "error": None}


def _refused(message: str) -> Json:
    detail = {
        "domain": "global",
        "location": "",
        "locationType": "",
        "message": message,
        "reason": "invalidQuery",
    }
    error = {"code": 400, "errors": [detail], "message": message, "status": "INVALID_ARGUMENT"}
    return {"result": None, "error": error}


def function_statistics(call: Call) -> Reply:
    """GET /analytics/endpoints/functions.combined-stats."""
    found = project(call)
    interval = call.query("interval")
    chosen = [each for each in found.functions.values() if each.id == call.query("function_id")]
    if interval not in INTERVALS or not chosen:
        raise Wrong(400, "invalid interval or function_id")
    function = chosen[0]
    step = INTERVALS[interval]
    start = call.now.replace(second=0, microsecond=0) - timedelta(minutes=step * 15)
    shown: list[Json] = []
    for index in range(15):
        at = start + timedelta(minutes=step * index)
        count = int(function.per_minute * step * (0.8 + 0.4 * unit(function.id, at)))
        failed = int(count * 0.005 + unit(function.id, at, "failed"))
        average = function.execution_ms * (0.9 + 0.2 * unit(function.id, at, "ms"))
        shown.append(
            {
                "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S"),
                "requests_count": count,
                "log_count": count,
                "success_count": count - failed,
                "client_err_count": 0,
                "server_err_count": failed,
                "avg_execution_time": round(average, 2),
                "max_execution_time": round(average * 3.1, 2),
                "avg_cpu_time_used": round(average / 6, 2),
                "avg_memory_used": 61.5,
            }
        )
    return {"result": shown, "error": None}


def api_counts(call: Call) -> Reply:
    """GET /analytics/endpoints/usage.api-counts: the last day, by hour."""
    found = project(call)
    start = call.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    shown: list[Json] = []
    for index in range(24):
        at = start + timedelta(hours=index)
        level = 0.6 + 0.8 * unit(found.ref, at)
        shown.append(
            {
                "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S"),
                "total_auth_requests": int(900 * level),
                "total_realtime_requests": int(300 * level),
                "total_rest_requests": int(21_000 * level),
                "total_storage_requests": int(1_400 * level),
            }
        )
    return {"result": shown, "error": None}


def health(call: Call) -> Reply:
    """GET /health?services=auth&services=db: repeated, not joined by commas."""
    found = project(call)
    wanted = call.queries("services")
    if not wanted or any(name not in COMPONENTS for name in wanted):
        raise Wrong(400, f"services: each must be one of {', '.join(COMPONENTS)}")
    shown: list[Json] = []
    for name in wanted:
        error = found.unhealthy.get(name)
        each: Json = {
            "name": name,
            "healthy": error is None,
            "status": "UNHEALTHY" if error else "ACTIVE_HEALTHY",
        }
        if error:
            each["error"] = error
        if name == "auth" and not error:
            each["info"] = {
                "name": "GoTrue",
                "version": "v2.182.1",
                "description": "GoTrue is a user registration API",
            }
        shown.append(each)
    return shown


def advisors(call: Call) -> Reply:
    """GET /advisors/{security|performance}."""
    kind = call.path("kind")
    if kind not in ("security", "performance"):
        raise Wrong(404, "not found")
    return {"lints": project(call).records.get(f"advisors/{kind}", [])}


def query(call: Call) -> Reply:
    """POST /database/query and /query/read-only: what this fake can answer is a constant or a refusal."""
    project(call)
    sql = call.field("query", str)
    limited = call.request.url.path.endswith("read-only") or call.field("read_only", bool, False)
    if limited and CHANGES.search(re.sub(r"'[^']*'", "''", sql)):
        raise Wrong(400, "Failed to run sql query: ERROR:  25006: cannot execute in a read-only transaction")
    literal = re.fullmatch(r"\s*select\s+(\d+)(?:\s+as\s+(\w+))?\s*;?\s*", sql, re.I)
    if literal:
        return [{literal[2] or "?column?": int(literal[1])}]
    raise Wrong(
        400,
        "Failed to run sql query: the simulated project holds no database; connect to the sandbox instead",
    )


ROUTES: Final[list[Any]] = [
    route("GET", f"{PROJECT}/analytics/endpoints/logs", logs),
    route("GET", f"{PROJECT}/analytics/endpoints/functions.combined-stats", function_statistics),
    route("GET", f"{PROJECT}/analytics/endpoints/usage.api-counts", api_counts),
    route("GET", f"{PROJECT}/health", health),
    route("GET", f"{PROJECT}/advisors/{{kind}}", advisors),
    route("POST", f"{PROJECT}/database/query", query, 201),
    route("POST", f"{PROJECT}/database/query/read-only", query, 201),
]
