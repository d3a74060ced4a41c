"""The runs of a cron job: a function of its schedule, of its usual length and of the effects on it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.sandbox.platform import deploys
from tools.sandbox.platform.dice import resource_id, unit
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.signals import active
from tools.sandbox.platform.world import Event, Hosted, World


@dataclass(frozen=True, slots=True)
class Run:
    """One scheduled run; a reason where it failed."""

    id: str
    start: datetime
    end: datetime
    reason: Json | None


def due(schedule: str, moment: datetime) -> bool:
    """Whether a cron schedule fires in this minute (UTC, five fields)."""
    fields = schedule.split()
    weekday = (moment.weekday() + 1) % 7
    values = (moment.minute, moment.hour, moment.day, moment.month, weekday)
    return len(fields) == 5 and all(_matches(text, value) for text, value in zip(fields, values, strict=True))


def runs(world: World, hosted: Hosted, start: datetime, end: datetime) -> Iterator[Run]:
    """The runs that begin in the window, oldest first."""
    if hosted.spec.kind != "cron_job" or hosted.spec.suspenders:
        return
    at = datetime.fromtimestamp(math.ceil(start.timestamp() / 60) * 60, start.tzinfo)
    while at <= end:
        if due(hosted.spec.schedule, at) and deploys.serving(hosted, at):
            yield _run(world, hosted, at)
        at += timedelta(minutes=1)


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
