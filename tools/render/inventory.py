"""What the review's rules look at: the workspace and render.yaml, frozen, in one form.

A service that runs is a `Unit` read from the API, with its entry of render.yaml beside it; one that is only
in the file is a `Unit` made from the file, with Render's defaults. So a rule looks at each service once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from tools.render.blueprint.file import BlueprintFile, Declared, DeclaredStore
from tools.render.inventory_values import Value
from tools.render.models import CustomDomain, Deploy
from tools.render.models_observed import Event
from tools.render.models_workspace import Blueprint, Environment, Member

_APART: Final = re.compile(r"[^a-z0-9]+")
_OTHER_STAGES: Final = frozenset({
    "dev", "develop", "development", "staging", "stage", "stg", "test", "testing", "qa", "uat", "demo",
    "preview", "sandbox", "playground", "experiment", "experimental", "nonprod", "preprod",
})  # fmt: skip
_CLEAR: Final = _OTHER_STAGES - {"test", "testing", "demo", "stage", "experiment", "sandbox"}
"""Those that say it at the beginning of a name as well."""
_PRODUCTION: Final = frozenset({"prod", "production", "live"})
KIND_WORDS: Final[Mapping[str, str]] = {
    "web_service": "web service", "private_service": "private service",
    "background_worker": "background worker", "cron_job": "cron job", "static_site": "static site",
    "postgres": "Postgres database", "key_value": "Key Value instance",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """One service. What neither the API nor the file says is None or empty."""

    name: str
    kind: str
    id: str = ""
    declared: Declared | None = None
    environment: str = ""
    production: bool = True
    plan: str = ""
    region: str = ""
    runtime: str = ""
    repo: str = ""
    branch: str = ""
    root_dir: str = ""
    image: str = ""
    build_command: str = ""
    start_command: str = ""
    pre_deploy_command: str = ""
    health_check_path: str | None = None
    instances: int | None = None
    scaling: tuple[int, int] | None = None
    disk: str = ""
    trigger: str = ""
    """What deploys it by itself: commit, checksPass, off; empty for an image."""
    build_filter: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    shutdown_delay: int | None = None
    schedule: str = ""
    last_success: datetime | None = None
    previews: str = "off"
    maintenance: bool = False
    suspenders: tuple[str, ...] = ()
    notify: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    variables: Mapping[str, Value] | None = None
    """Its own variables and those of its groups, by name; None where they were not read."""
    deploys: tuple[Deploy, ...] = ()
    domains: tuple[CustomDomain, ...] = ()
    runs: tuple[timedelta, ...] = ()
    """How long the latest runs of a cron job took."""
    skipped: tuple[Event, ...] = ()
    """What kept pushes from being built lately, newest first."""

    @property
    def live(self) -> bool:
        """Whether it was read from the API."""
        return bool(self.id)

    @property
    def object(self) -> str:
        """`web service guardian-web`."""
        return f"{KIND_WORDS.get(self.kind, self.kind)} {self.name}"

    @property
    def least(self) -> int | None:
        """The fewest instances that it runs with."""
        return self.scaling[0] if self.scaling else self.instances

    @property
    def suspended(self) -> bool:
        """Whether it is switched off."""
        return bool(self.suspenders)

    @property
    def commands(self) -> str:
        """Its start command with the settings that runtimes read beside it."""
        read = self.variables or {}
        return " ".join((self.start_command, *(value.setting for value in read.values() if value.setting)))


@dataclass(frozen=True, slots=True)
class Store:
    """One Postgres database or Key Value instance. `ranges` is None where nothing says who may connect."""

    name: str
    kind: Literal["postgres", "key_value"]
    id: str = ""
    declared: DeclaredStore | None = None
    environment: str = ""
    production: bool = True
    plan: str = ""
    region: str = ""
    version: str = ""
    ranges: tuple[str, ...] | None = None
    eviction: str = ""
    expires_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether it was read from the API."""
        return bool(self.id)

    @property
    def object(self) -> str:
        """`Postgres database guardian-jobs`."""
        return f"{KIND_WORDS[self.kind]} {self.name}"


@dataclass(frozen=True, slots=True)
class EnvGroupFacts:
    """One environment group of the workspace, and what its variables tell."""

    name: str
    id: str
    variables: Mapping[str, Value]
    linked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """One moment of a workspace, of a render.yaml, or of both."""

    now: datetime
    units: tuple[Unit, ...] = ()
    stores: tuple[Store, ...] = ()
    groups: tuple[EnvGroupFacts, ...] = ()
    environments: tuple[Environment, ...] = ()
    blueprints: tuple[Blueprint, ...] = ()
    members: tuple[Member, ...] = ()
    notifications: Mapping[str, str] = field(default_factory=dict[str, str])
    """What a workspace sends of failures, by its id."""
    file: BlueprintFile | None = None
    live: bool = False
    whole: bool = False
    """Whether all of the workspace was read: sergei.toml may name a part of it."""
    supabase_regions: Mapping[str, str] = field(default_factory=dict[str, str])
    files: frozenset[str] | None = None
    """The paths of the repository that holds render.yaml; None where they are not known."""
    engines: frozenset[str] = frozenset()
    """The folders of that repository whose package.json names a version of Node."""
    gaps: tuple[tuple[str, str], ...] = ()

    @property
    def running(self) -> Iterator[Unit]:
        """Services that are not switched off."""
        return (unit for unit in self.units if not unit.suspended)

    @property
    def production(self) -> Iterator[Unit]:
        """Running services that people may depend on."""
        return (unit for unit in self.running if unit.production)

    def unread(self, what: str) -> bool:
        """Whether something could not be read, so that its absence means nothing."""
        return any(gap.startswith(what) for gap, _ in self.gaps)

    def store(self, target: str) -> Store | None:
        """The database of an id or a name."""
        return next((one for one in self.stores if target in (one.id, one.name)), None)


def is_production(environment: str, name: str) -> bool:
    """Whether people may depend on it: the environment says so, else the end of the name (`api-staging`).

    Where neither says anything it is production. A `test-results` service is no test.
    """
    said = set(_APART.split(environment.lower()))
    if said & _PRODUCTION or said & _OTHER_STAGES:
        return bool(said & _PRODUCTION)
    parts = [part for part in _APART.split(name.lower()) if part]
    return not parts or not (parts[-1] in _OTHER_STAGES or parts[0] in _CLEAR)


def first(*texts: str | None) -> str:
    """The first text that there is."""
    return next((text for text in texts if text), "")


def named(units: Iterable[Unit]) -> dict[tuple[str, str], Unit]:
    """Units by kind and name."""
    return {(unit.kind, unit.name): unit for unit in units}
