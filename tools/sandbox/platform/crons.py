"""The runs of a cron job: a function of its schedule, of its usual length and of the effects on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Final

from tools.sandbox.platform import deploys
from tools.sandbox.platform.dice import resource_id, unit
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.signals import active
from tools.sandbox.platform.world import Event, Hosted, World

RANGES: Final = (range(60), range(24), range(1, 32), range(1, 13), range(7))
"""The values of the five fields of a schedule."""


@dataclass(frozen=True, slots=True)
class Run:
    """One scheduled run; a reason where it failed."""

    id: str
    start: datetime
    end: datetime
    reason: Json | None


def _due(schedule: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """The minutes of the window in which a cron schedule fires (UTC, five fields)."""
    fields = schedule.split()
    if len(fields) != 5:
        return
    minutes, hours, days, months, weekdays = (
        [value for value in RANGES[place] if _matches(text, value)] for place, text in enumerate(fields)
    )
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= end:
        if day.day in days and day.month in months and (day.weekday() + 1) % 7 in weekdays:
            for hour, minute in product(hours, minutes):
                at = day + timedelta(hours=hour, minutes=minute)
                if start <= at <= end:
                    yield at
        day += timedelta(days=1)


def runs(world: World, hosted: Hosted, start: datetime, end: datetime) -> Iterator[Run]:
    """The runs that begin in the window, oldest first."""
    if hosted.spec.kind != "cron_job" or hosted.spec.suspenders:
        return
    for at in _due(hosted.spec.schedule, start, end):
        if deploys.serving(hosted, at):
            yield _run(world, hosted, at)


def run_events(world: World, hosted: Hosted, start: datetime, end: datetime) -> Iterator[Event]:
    """Their events in the window."""
    own = hosted.spec.id
    for run in runs(world, hosted, start - timedelta(hours=13), end):
        if run.start >= start:
            yield Event(
                resource_id("evt", run.id, 0),
                own,
                run.start,
                "cron_job_run_started",
                {"cronJobRunId": run.id},
            )
        if start <= run.end <= end:
            details: Json = {"cronJobRunId": run.id, "status": "unsuccessful" if run.reason else "successful"}
            if run.reason:
                details["reason"] = run.reason
            yield Event(resource_id("evt", run.id, 1), own, run.end, "cron_job_run_ended", details)


def _run(world: World, hosted: Hosted, at: datetime) -> Run:
    usual = hosted.profile.latency_ms[0] / 1000 * (0.8 + 0.4 * unit(world.seed, hosted.spec.id, at))
    reason: Json | None = None
    for each in active(world, hosted.spec.id, at):
        usual *= each.effect.latency
        reason = each.effect.crash or reason
    if reason and "timedOutSeconds" in reason:
        usual = reason["timedOutSeconds"]
    return Run(resource_id("crr", hosted.spec.id, at), at, at + timedelta(seconds=usual), reason)


def _matches(text: str, value: int) -> bool:
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            fits = True
        else:
            first, _, last = span.partition("-")
            fits = int(first) <= value <= int(last or first)
        if fits and (not step or value % int(step) == 0):
            return True
    return False
