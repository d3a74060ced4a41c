"""The log rows of a Supabase project, minute by minute, in the shape of the table `logs`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from tools.sandbox.platform.clickhouse_functions import STAMP
from tools.sandbox.platform.dice import chance, hexadecimal
from tools.sandbox.platform.people import filled
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.supabase_state import EdgeFunction, SupabaseProject

Made = tuple[str, dict[str, str]]
REST: Final = ("clinical_events", "profiles", "documents", "timeline_entries", "profile_access")
PER_MINUTE: Final = {
    "edge_logs": 6.0,
    "postgres_logs": 0.6,
    "auth_logs": 1.2,
    "storage_logs": 0.8,
    "postgrest_logs": 0.1,
    "supavisor_logs": 0.3,
    "realtime_logs": 0.2,
    "pgbouncer_logs": 0.05,
}


def rows(
    project: SupabaseProject, seed: int, start: datetime, end: datetime, only: set[str] | None
) -> Iterator[Json]:
    """The rows in [start, end), oldest minute first; `only` names the sources that are wanted."""
    at = start.replace(second=0, microsecond=0)
    first, last = start.strftime(STAMP), end.strftime(STAMP)
    while at < end:
        for row in _minute(project, seed, at, only):
            if first <= row["timestamp"] < last:
                yield row
        at += timedelta(minutes=1)


def _minute(project: SupabaseProject, seed: int, at: datetime, only: set[str] | None) -> Iterator[Json]:
    for source, rate in PER_MINUTE.items():
        if only is None or source in only:
            dice = chance(seed, project.ref, source, at)
            for _ in range(_times(rate, dice)):
                yield _row(source, at, dice, *_usual(source, dice))
    for function in project.functions.values():
        dice = chance(seed, function.id, at)
        for _ in range(_times(function.per_minute, dice)):
            for source, made in _invocation(function, dice).items():
                if only is None or source in only:
                    yield _row(source, at, dice, *made)
    for trouble in project.troubles:
        if (
            trouble.start <= at
            and (trouble.end is None or at < trouble.end)
            and (only is None or trouble.source in only)
        ):
            dice = chance(seed, trouble.source, trouble.line.text, at)
            for _ in range(_times(trouble.line.per_minute, dice)):
                attributes = {"level": trouble.line.level, **dict(trouble.attributes)}
                if trouble.function and trouble.function in project.functions:
                    attributes["function_id"] = project.functions[trouble.function].id
                yield _row(trouble.source, at, dice, filled(trouble.line.text, dice), attributes)


def _usual(source: str, dice: random.Random) -> Made:
    if source == "edge_logs":
        method, table = dice.choice(("GET", "GET", "GET", "POST", "PATCH")), dice.choice(REST)
        code = dice.choices(("200", "201", "204", "401", "404", "500"), (880, 60, 40, 12, 7, 1))[0]
        path = f"/rest/v1/{table}"
        search = filled("?profile_id=eq.{profile}&select=*", dice) if method == "GET" else ""
        attributes = {
            "request.method": method,
            "request.path": path,
            "request.search": search,
            "response.status_code": code,
            "response.origin_time": str(dice.randint(4, 180)),
        }
        return f"{method} | {code} | {path}{search}", attributes
    if source == "postgres_logs":
        text = dice.choice(
            ("checkpoint starting: time", "connection authorized: user=authenticator database=postgres")
        )
        return text, {
            "parsed.error_severity": "LOG",
            "parsed.query": "",
            "parsed.detail": "",
            "parsed.hint": "",
        }
    if source == "auth_logs":
        text = filled(dice.choice(("Login by {email}", "token refreshed", "request completed")), dice)
        return text, {
            "level": "info",
            "status": "200",
            "path": dice.choice(("/token", "/user", "/otp")),
            "msg": text,
        }
    texts = {
        "storage_logs": "POST | 200 | /object/documents/{profile}/{doc}",
        "postgrest_logs": "Config reloaded",
        "supavisor_logs": "ClientHandler: new session, user=postgres",
        "realtime_logs": "Tenant has {n} connected clients",
        "pgbouncer_logs": "stats: {n} xacts/s",
    }
    return filled(texts[source], dice), {"level": "info"}


def _invocation(function: EdgeFunction, dice: random.Random) -> dict[str, Made]:
    execution = hexadecimal(32, function.id, dice.random())
    took = str(int(function.execution_ms * dice.uniform(0.5, 2.2)))
    code = dice.choices(("200", "500"), (995, 5))[0]
    shared = {"function_id": function.id, "execution_id": execution, "version": str(function.version)}
    edge = {
        **shared,
        "response.status_code": code,
        "execution_time_ms": took,
        "deployment_id": f"{function.id}_{function.version}",
    }
    level = "error" if code == "500" else "info"
    text = filled(
        "Error: page {n} of {doc} could not be read" if code == "500" else "processed {doc} for {patient}",
        dice,
    )
    own = {**shared, "level": level, "event_type": "Log"}
    path = f"POST | {code} | /functions/v1/{function.slug}"
    return {"function_edge_logs": (path, edge), "function_logs": (text, own)}


def _row(source: str, at: datetime, dice: random.Random, text: str, attributes: dict[str, str]) -> Json:
    moment = at + timedelta(milliseconds=dice.randrange(60_000))
    return {
        "id": hexadecimal(32, source, moment, dice.random()),
        "timestamp": moment.strftime(STAMP),
        "event_message": text,
        "source": source,
        "log_attributes": attributes,
    }


def _times(rate: float, dice: random.Random) -> int:
    return int(rate) + (dice.random() < rate % 1)
