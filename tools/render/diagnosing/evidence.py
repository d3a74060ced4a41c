"""One frozen snapshot of a service and its surroundings: all that a cause may look at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from tools.render.diagnosing.tracks import Track, combined, ratio
from tools.render.models import FAILED, LIVE, Deploy, Service
from tools.render.models_observed import Event
from tools.render.models_workspace import AuditLog, Blueprint, BlueprintSync


@dataclass(frozen=True, slots=True)
class Said:
    """Lines that say the same. `text` may be shown; `raw` is one of them as it came, only to be searched."""

    text: str
    raw: str
    level: str
    count: int
    first: datetime
    last: datetime
    per_hour: float
    usual_per_hour: float
    instances: frozenset[str] = frozenset()

    @property
    def risen(self) -> bool:
        """Whether it comes more often than it used to."""
        return self.per_hour > 3 * self.usual_per_hour


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its time."""

    at: datetime
    raw: str
    instance: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """The latest deploy, where it did not go live: what it wrote in each step, and the reason given."""

    deploy: Deploy
    step: str
    """build, pre_deploy, update, or an empty string where the status tells none."""
    reason: Mapping[str, Any]
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """All of its lines."""
        return "\n".join(line.raw for line in self.lines)


@dataclass(frozen=True, slots=True)
class Group:
    """A linked environment group."""

    name: str
    id: str
    names: frozenset[str]
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that costs much, without its literals. Times in ms."""

    query: str
    calls: float
    mean_ms: float
    max_ms: float
    where: str


@dataclass(frozen=True, slots=True)
class Measured:
    """Metrics over the last day, memory and disk in MB; empty tracks where there are none."""

    cpu: tuple[Track, ...] = ()
    cpu_limit: Track = field(default_factory=Track)
    memory: tuple[Track, ...] = ()
    memory_limit: Track = field(default_factory=Track)
    requests: tuple[Track, ...] = ()
    """By status code, in `label`."""
    p50: Track = field(default_factory=Track)
    p95: Track = field(default_factory=Track)
    instances: Track = field(default_factory=Track)
    disk: Track = field(default_factory=Track)
    disk_capacity: Track = field(default_factory=Track)


@dataclass(frozen=True, slots=True)
class Store:
    """A database or cache of the workspace, with what was measured of it."""

    name: str
    kind: str
    status: str
    region: str
    suspended: bool
    id: str = ""
    plan: str = ""
    connections: Track = field(default_factory=Track)


@dataclass(frozen=True, slots=True)
class Supabase:
    """The connected Supabase project."""

    region: str = ""
    status: str = ""
    unhealthy: tuple[tuple[str, str], ...] = ()
    """Component and what its health check says."""
    said: tuple[Said, ...] = ()
    """What its logs complain of."""


@dataclass(frozen=True)
class Snapshot:
    """Everything at one moment. Times are in UTC; lists newest first unless they say otherwise."""

    now: datetime
    since: datetime
    """Trouble is looked for after this; before it lies the usual."""
    service: Service
    siblings: tuple[Service, ...] = ()
    """The other services of the workspace."""
    deploys: tuple[Deploy, ...] = ()
    events: tuple[Event, ...] = ()
    said: tuple[Said, ...] = ()
    """Warnings and errors of the running service, by fingerprint, most frequent first."""
    wrong: tuple[Line, ...] = ()
    """The same lines one by one, oldest first."""
    recent: tuple[Line, ...] = ()
    """Its latest lines of any level, oldest first."""
    gauges: tuple[Line, ...] = ()
    """Lines that speak of a queue, oldest first."""
    failing_paths: tuple[tuple[str, float], ...] = ()
    """Where the latest requests with 5xx went, and their share of them."""
    last_words: tuple[tuple[datetime, tuple[Line, ...]], ...] = ()
    """What was written right before each of the latest failures of an instance."""
    trial: Trial | None = None
    measured: Measured = field(default_factory=Measured)
    env_names: frozenset[str] = frozenset()
    heap_mb: int | None = None
    """The heap limit that Node was given, in MB."""
    groups: tuple[Group, ...] = ()
    postgres: tuple[Store, ...] = ()
    key_values: tuple[Store, ...] = ()
    blueprint: Blueprint | None = None
    syncs: tuple[BlueprintSync, ...] = ()
    audit: tuple[AuditLog, ...] = ()
    supabase: Supabase | None = None
    statements: tuple[Statement, ...] = ()
    unread: tuple[str, ...] = ()
    """What could not be read, and why."""

    @property
    def kind(self) -> str:
        """web_service, background_worker ..."""
        return self.service.type

    @cached_property
    def live(self) -> tuple[tuple[datetime, Deploy], ...]:
        """The deploys that went live with the time when they did, newest first."""
        ended = {
            str(event.details.get("deployId", "")): event.timestamp
            for event in self.events
            if event.type == "deploy_ended" and event.details.get("deployStatus") == "succeeded"
        }
        went = [
            (ended.get(each.id) or each.finished_at or each.updated_at, each)
            for each in self.deploys
            if each.status in (LIVE, "deactivated")
        ]
        return tuple(sorted(((at, d) for at, d in went if at), key=lambda pair: pair[0], reverse=True))

    @cached_property
    def failures(self) -> tuple[Event, ...]:
        """Failures of instances in the window, newest first."""
        return tuple(e for e in self.of_type("server_failed", "server_hardware_failure"))

    def of_type(self, *kinds: str, since: datetime | None = None) -> list[Event]:
        """Events of these types in the window (or since a time), newest first."""
        start = since or self.since
        return [e for e in self.events if e.type in kinds and e.timestamp and e.timestamp >= start]

    def failed_with(self, key: str) -> list[Event]:
        """Failures of instances, and of a cron job's runs, whose reason has this key."""
        found = self.of_type("server_failed", "cron_job_run_ended", "job_run_ended")
        return [e for e in found if reason_of(e).get(key)]

    @cached_property
    def cpu_use(self) -> Track:
        """The mean use of CPU as a share of the limit."""
        return ratio(combined(self.measured.cpu, "mean"), self.measured.cpu_limit)

    @cached_property
    def memory_use(self) -> Track:
        """The fullest instance's memory as a share of the limit."""
        return ratio(combined(self.measured.memory), self.measured.memory_limit)

    @cached_property
    def memory_mb(self) -> float | None:
        """The memory limit of one instance in MB."""
        return self.measured.memory_limit.last

    @cached_property
    def traffic(self) -> Track:
        """Requests in each step."""
        return combined(self.measured.requests, "sum")

    @cached_property
    def failing(self) -> Track:
        """The share of requests answered with 5xx, in steps with at least five requests."""
        return failing_share(self.measured)

    def released_before(self, moment: datetime | None, slack: timedelta) -> tuple[datetime, Deploy] | None:
        """The deploy that went live shortly before a moment."""
        if moment is None:
            return None
        early = timedelta(minutes=4)
        near = [(at, d) for at, d in self.live if at - early <= moment <= at + slack]
        return near[0] if near else None


def failing_share(measured: Measured) -> Track:
    """The share of requests answered with 5xx, in steps with at least five requests."""
    total = combined(measured.requests, "sum").points
    bad = dict(combined([t for t in measured.requests if t.label.startswith("5")], "sum").points)
    return Track(tuple((at, bad.get(at, 0.0) / many) for at, many in total if many >= 5))


def reason_of(event: Event) -> Mapping[str, Any]:
    """The reason of a failure; deploys and builds wrap it in `failure`."""
    inner = event.reason.get("failure")
    return inner if isinstance(inner, Mapping) else event.reason  # pyright: ignore[reportUnknownVariableType]  JSON


def failed(deploy: Deploy) -> bool:
    """Whether a deploy failed by itself."""
    return deploy.status in FAILED and deploy.status != "canceled"


def heap_of(texts: Iterable[str]) -> int | None:
    """The heap limit of Node in settings such as NODE_OPTIONS or a start command."""
    for text in texts:
        if found := re.search(r"--max[-_]old[-_]space[-_]size[= ](\d{2,7})", text):
            return int(found[1])
    return None
