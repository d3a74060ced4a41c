"""What nobody uses: services without work, previews left behind, suspended leftovers, dead cron jobs, nights.

`month` is what running costs: the disk of a suspended service costs on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from tools.render.costing.load import Load
from tools.render.costing.prices import Prices, size_of
from tools.render.costing.proposal import Confidence, Proposal, call
from tools.render.costing.sizing import WORTH, enough
from tools.render.models import Service

QUIET_CPU: Final = 0.05
"""The share of the CPUs that a process takes at most while it waits."""
QUIET_GB: Final = 0.1
LEFT_BEHIND: Final = timedelta(days=14)
LEFTOVER: Final = timedelta(days=30)
NIGHT: Final = 10
_OTHER: Final = re.compile(
    r"(?:^|[^a-z])(?:stag(?:e|ing)|dev(?:elopment)?|test(?:ing)?|preview|qa|uat|sandbox|demo|review)(?:$|[^a-z])"
)


def is_production(name: str, environment: str) -> bool:
    """Whether it must be taken for production: what is not named otherwise is."""
    return not _OTHER.search((environment or name).casefold())


def unused(service: Service, load: Load, month: float | None, now: datetime) -> Proposal | None:
    """A running service that nobody asks and that does nothing."""
    plan = service.service_details.plan
    size = size_of(plan)
    if service.is_suspended or not month or month < WORTH or not enough(load) or not load.cpu:
        return None
    if (
        size is None
        or not size.cpus
        or load.cpu.peak > QUIET_CPU * size.cpus
        or (load.egress_gb or 0) > QUIET_GB
    ):
        return None
    quiet = f"CPU never above {load.cpu.peak / size.cpus:.1%} of its plan in {len(load.hours) / 24:.0f} days"
    level: Confidence
    if service.type == "web_service":
        if load.requests is None or sum(load.requests.values()) > 0:
            return None
        measured = len(load.requests) >= len(load.hours) // 2
        level = "medium" if measured else "low"
        because = (
            "a monthly caller would not have shown" if measured else "Render gave no figures of requests"
        )
        evidence = f"no request; {quiet}" if measured else quiet
    else:
        level, evidence = "low", quiet
        because = "calls over the private network and empty queues do not show in the readings"
    return _suspension(service, "suspend: unused", month, level, because, evidence)


def preview(service: Service, month: float | None, now: datetime) -> Proposal | None:
    """A preview instance that outlived its pull request's usual life."""
    born = service.created_at
    if service.service_details.parent_server is None or service.is_suspended or not month or born is None:
        return None
    if now - born < LEFT_BEHIND:
        return None
    evidence = f"a preview that runs since {(now - born).days} days"
    because = "whether its pull request is still open was not looked at"
    return _suspension(service, "suspend: old preview", month, "medium", because, evidence)


def night(service: Service, load: Load, month: float | None) -> Proposal | None:
    """A service outside of production that runs while nobody is there."""
    busy = load.requests if load.requests and sum(load.requests.values()) else None
    busy = busy or {hour.at: hour.cpu_in_all for hour in load.hours}
    if service.is_suspended or not month or not enough(load) or service.type == "cron_job" or not busy:
        return None
    start, share = quietest(busy)
    saves = month * NIGHT / 24
    if saves < WORTH or share > 0.25:
        return None
    end = (start + NIGHT) % 24
    return Proposal(
        resource=service.name,
        id=service.id,
        change=f"off from {start:02}:00 to {end:02}:00 UTC",
        saves=round(saves, 2),
        confidence="medium" if share < 0.05 else "low",
        because=f"{share:.0%} of its use falls into these hours",
        risk="low: not production; each resume deploys it, which takes minutes and can fail",
        evidence=f"the quietest {NIGHT} hours of its day",
        do=f"every day {call(service.name, 'suspend')} at {start:02}:00 and {call(service.name, 'resume')} at"
        f" {end:02}:00 (a person sets up the schedule: Render has none for services)",
        undo=call(service.name, "resume"),
    )


def leftover(service: Service, prices: Prices, now: datetime) -> Proposal | None:
    """A service suspended long ago whose disk is still kept."""
    disk, changed = service.service_details.disk, service.updated_at
    if not service.is_suspended or disk is None or changed is None or now - changed < LEFTOVER:
        return None
    return Proposal(
        resource=service.name,
        id=service.id,
        change=f"delete its disk of {disk.size_gb} GB",
        saves=round((disk.size_gb or 0) * prices.rate("disk_gb"), 2),
        confidence="low",
        because="whether its files are still needed, a person must know",
        risk="high: the files are lost",
        evidence=f"suspended, and unchanged since {(now - changed).days} days",
        do="a person copies what is needed, then deletes the disk in Render's dashboard (no tool deletes)",
        undo="none: snapshots go with the disk",
    )


def cron_words(service: Service, load: Load, now: datetime) -> str:
    """What is wrong with a cron job's runs: a sentence, or nothing."""
    runs = load.runs
    if service.is_suspended or runs is None or not load.events_read:
        return ""
    if not runs.count and _due_within_a_week(service.service_details.schedule):
        last = service.service_details.last_successful_run_at
        since = f"its last good run was {(now - last).days} days ago" if last else "it never had a good run"
        return (
            f"{service.name} has not run in {runs.span.days} days, though its schedule"
            f" {service.service_details.schedule!r} is due at least weekly; {since}."
            f" If it is no longer wanted: {call(service.name, 'suspend')}"
        )
    if runs.count and runs.failed == runs.count:
        return f"{service.name}: all {runs.count} runs seen failed; diagnose_service tells why"
    return ""


def quietest(busy: Mapping[datetime, float]) -> tuple[int, float]:
    """The first of the quietest hours in a row, by the clock in UTC, and their share of all use."""
    day = [0.0] * 24
    for at, amount in busy.items():
        day[at.hour] += amount
    total = sum(day) or 1.0
    sums = {start: sum(day[(start + step) % 24] for step in range(NIGHT)) for start in range(24)}
    first = min(sums, key=lambda start: sums[start])
    return first, sums[first] / total


def _suspension(
    service: Service, change: str, month: float, level: Confidence, because: str, evidence: str
) -> Proposal:
    return Proposal(
        resource=service.name,
        id=service.id,
        change=change,
        saves=round(month, 2),
        confidence=level,
        because=because,
        risk="medium: whoever still needs it gets no answer until it is resumed",
        evidence=evidence,
        do=call(service.name, "suspend"),
        undo=call(service.name, "resume") + " (this deploys it)",
    )


def _due_within_a_week(schedule: str) -> bool:
    fields = schedule.split()
    return len(fields) == 5 and fields[2] == "*" and fields[3] == "*"
