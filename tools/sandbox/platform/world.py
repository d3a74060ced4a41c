"""The state of the simulated Render workspace: what exists, what it was told, and what happened to it."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from tools.sandbox.platform.dice import resource_id
from tools.sandbox.platform.effects import NORMAL, Active, Behaviour, Level
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.sizes import plan_id

Kind = Literal["web_service", "private_service", "background_worker", "cron_job", "static_site"]
LogType = Literal["app", "request", "build"]


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the branch that a service follows."""

    id: str
    message: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Autoscaling:
    """Bounds and targets in percent; a target of None is switched off."""

    enabled: bool
    min: int
    max: int
    cpu: int | None = 70
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """The configuration of a service."""

    id: str
    kind: Kind
    name: str
    created_at: datetime
    updated_at: datetime
    slug: str = ""
    plan: str = "1c-2g"
    region: str = "oregon"
    runtime: str = "node"
    repo: str | None = None
    branch: str = "main"
    image: str | None = None
    root_dir: str = ""
    build_command: str = ""
    start_command: str = ""
    pre_deploy_command: str = ""
    health_check_path: str = ""
    num_instances: int = 1
    autoscaling: Autoscaling | None = None
    auto_deploy: bool = True
    suspenders: tuple[str, ...] = ()
    schedule: str = ""
    publish_path: str = ""
    shutdown_delay: int = 30
    environment_id: str | None = None
    previews: str = "off"
    notify: str = "default"
    maintenance: bool = False
    maintenance_uri: str = ""
    ports: tuple[int, ...] = ()
    build_filter: tuple[tuple[str, ...], tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """From this time on the deploy has this status."""

    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Deploy:
    """One deploy with the phases that it will run through; none yet while it waits in the queue."""

    id: str
    service_id: str
    trigger: str
    created_at: datetime
    commit: Commit | None = None
    image: str | None = None
    phases: tuple[Phase, ...] = ()
    builds: bool = True
    rollback_of: str | None = None
    clear_cache: bool = False

    @property
    def goes_live(self) -> bool:
        """Whether its last phase is that it serves."""
        return bool(self.phases) and self.phases[-1].status == "live"


@dataclass(frozen=True, slots=True)
class Sizing:
    """How many instances of which plan a service was given from a time on."""

    at: datetime
    plan: str
    num_instances: int
    autoscaling: Autoscaling | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a service."""

    id: str
    service_id: str
    at: datetime
    type: str
    details: Json
    origin: str | None = None
    """The deploy or run that it belongs to."""


@dataclass(frozen=True, slots=True, order=True)
class LogLine:
    """One line of a log; ordered by time."""

    at: datetime
    id: str
    resource: str = field(compare=False)
    message: str = field(compare=False)
    type: LogType = field(default="app", compare=False)
    level: Level = field(default="info", compare=False)
    instance: str = field(default="", compare=False)
    labels: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    origin: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a resource does on a normal day; the metrics and the logs follow from it."""

    per_minute: float = 0.0
    """Requests, or jobs, a minute in the mean of a day."""
    swing: float = 0.6
    """How far the busiest hour is above the mean, as a share of it."""
    peak_hour: float = 15.0
    cpu_idle: float = 0.02
    cpu_per_request: float = 0.00055
    """CPUs for one request a minute."""
    memory_mb: float = 320.0
    memory_per_request_mb: float = 0.05
    latency_ms: tuple[float, float, float] = (38.0, 160.0, 420.0)
    """The median, p95 and p99."""
    error_rate: float = 0.0008
    paths: tuple[tuple[str, float], ...] = ()
    lines: tuple[str, ...] = ()
    """Texts of the usual log, with placeholders."""
    lines_per_minute: float = 3.0
    disk_used_mb: float = 0.0
    connections: float = 0.0
    bursts: tuple[tuple[float, float, float], ...] = ()
    """(first hour, last hour, factor): for instance the night's batch."""
    healthy_paths: tuple[str, ...] = ("/health",)
    """Where the process answers a health check."""


@dataclass
class Hosted:
    """A service with everything that hangs on it."""

    spec: Service
    profile: Profile
    deploys: list[Deploy] = field(default_factory=list[Deploy])
    env: dict[str, str] = field(default_factory=dict[str, str])
    secret_files: dict[str, str] = field(default_factory=dict[str, str])
    commits: list[Commit] = field(default_factory=list[Commit])
    sizing: list[Sizing] = field(default_factory=list[Sizing])
    restarts: list[datetime] = field(default_factory=list[datetime])
    jobs: dict[str, Json] = field(default_factory=dict[str, Json])
    runs: dict[str, Json] = field(default_factory=dict[str, Json])
    domains: dict[str, Json] = field(default_factory=dict[str, Json])
    headers: list[Json] = field(default_factory=list[Json])
    routes: list[Json] = field(default_factory=list[Json])
    _known: list[Deploy] = field(default_factory=list[Deploy], repr=False)
    _lives: list[tuple[datetime, Deploy]] = field(default_factory=list[tuple[datetime, Deploy]], repr=False)

    @property
    def lives(self) -> list[tuple[datetime, Deploy]]:
        """Every deploy that went or goes live, with the moment, oldest first; worked out when they change."""
        if self._known != self.deploys:  # mostly the same objects: quick
            self._known = list(self.deploys)
            found = [(each.phases[-1].at, each) for each in self.deploys if each.goes_live]
            self._lives = sorted(found, key=lambda pair: pair[0])
        return self._lives

    def change(self, now: datetime, **fields: object) -> None:
        """Replace fields of the configuration and keep the history of its size."""
        self.spec = replace(self.spec, updated_at=now, **fields)  # type: ignore[arg-type]  # checked by callers
        spec = self.spec
        sizing = Sizing(now, plan_id(spec.plan), spec.num_instances, spec.autoscaling)
        if not self.sizing or replace(self.sizing[-1], at=now) != sizing:
            self.sizing.append(sizing)


@dataclass
class World:
    """Everything that there is. `seed` decides all chance."""

    seed: int
    services: dict[str, Hosted] = field(default_factory=dict[str, Hosted])
    events: list[Event] = field(default_factory=list[Event])
    lines: list[LogLine] = field(default_factory=list[LogLine])
    effects: list[Active] = field(default_factory=list[Active])
    behaviours: dict[str, Behaviour] = field(default_factory=dict[str, Behaviour])
    profiles: dict[str, Profile] = field(default_factory=dict[str, Profile])
    records: dict[str, dict[str, Json]] = field(default_factory=dict[str, dict[str, Json]])
    """Resources without behaviour of their own, by kind and id: owners, projects, postgres, disks ..."""
    memos: dict[str, object] = field(default_factory=dict[str, object], repr=False, compare=False)
    """What memo.py keeps, by resource."""
    count: int = 0

    def new_id(self, prefix: str) -> str:
        """The next id with this prefix."""
        self.count += 1
        return resource_id(prefix, self.seed, self.count)

    def kind(self, name: str) -> dict[str, Json]:
        """The records of one kind, by id."""
        return self.records.setdefault(name, {})

    def behaviour(self, deploy: Deploy) -> Behaviour:
        """What becomes of this deploy."""
        key = deploy.commit.id if deploy.commit else deploy.image or ""
        return self.behaviours.get(key, NORMAL)

    def happened(
        self, service_id: str, at: datetime, kind: str, details: Json, origin: str | None = None
    ) -> Event:
        """Note an event; one in the future shows once its time has come."""
        event = Event(self.new_id("evt"), service_id, at, kind, details, origin)
        insort(self.events, event, key=lambda each: each.at)
        return event

    def wrote(
        self,
        resource: str,
        at: datetime,
        message: str,
        *,
        type: LogType = "app",
        level: Level = "info",
        instance: str = "",
        labels: tuple[tuple[str, str], ...] = (),
        origin: str | None = None,
    ) -> None:
        """Add a line to a log; one in the future shows once its time has come."""
        line = LogLine(at, self.new_id("log"), resource, message, type, level, instance, labels, origin)
        insort(self.lines, line)

    def forget_after(self, origin: str, moment: datetime) -> None:
        """Drop what this deploy or run would still have brought: it was canceled."""
        self.events = [each for each in self.events if each.origin != origin or each.at <= moment]
        self.lines = [each for each in self.lines if each.origin != origin or each.at <= moment]

    def named(self, name: str) -> Hosted:
        """The service of this name; KeyError where there is none."""
        for hosted in self.services.values():
            if hosted.spec.name == name:
                return hosted
        raise KeyError(name)
