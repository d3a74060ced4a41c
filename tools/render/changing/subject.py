"""What a change is about: one resource, whose it is, and whether a blueprint would set it back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.errors import InvalidInput, SergeiError
from tools.render.models import IN_PROGRESS, EnvGroup, Service
from tools.render.models_stores import KeyValue, Postgres
from tools.render.naming import Resource, find_resource, owner_of

if TYPE_CHECKING:
    from tools.render.client import RenderClient

INSTANCED: Final = frozenset({"web_service", "private_service", "background_worker"})
"""Types that have instances which can be counted, replaced and scaled."""
_BLUEPRINTS: Final = 10


@dataclass(frozen=True, slots=True)
class Subject:
    """A service, database, Key Value instance or environment group as it stands."""

    resource: Resource
    owner: str
    blueprint: str

    @property
    def id(self) -> str:
        """Render's id."""
        return self.resource.id

    @property
    def name(self) -> str:
        """Its name."""
        return self.resource.name

    @property
    def kind(self) -> str:
        """`web_service`, `cron_job`..., `postgres`, `key_value`, `env_group`."""
        thing = self.resource.thing
        return thing.type if isinstance(thing, Service) else self.resource.kind

    @property
    def label(self) -> str:
        """Name, id, kind, plan, region, address and workspace in one line."""
        thing, details = self.resource.thing, list[str]()
        if isinstance(thing, Service):
            own = thing.service_details
            details = [own.plan and f"plan {own.plan}", own.region, own.url]
        elif isinstance(thing, Postgres | KeyValue):
            details = [thing.plan and f"plan {thing.plan}", thing.region]
        shown = ", ".join(filter(None, (self.kind, *details)))
        return f"{self.name} ({self.id}), {shown}, workspace {self.owner}"

    @property
    def is_suspended(self) -> bool:
        """Whether it is switched off."""
        thing = self.resource.thing
        return not isinstance(thing, EnvGroup) and is_off(thing)

    @property
    def has_disk(self) -> bool:
        """Whether it is a service with a disk: the old instance stops before the new one starts."""
        thing = self.resource.thing
        return isinstance(thing, Service) and thing.service_details.disk is not None

    @property
    def service(self) -> Service:
        """The service. Raises InvalidInput for anything else."""
        thing = self.resource.thing
        if not isinstance(thing, Service):
            raise InvalidInput(f"{self.resource.label} is no service, and only a service has this.")
        return thing

    def instanced(self, action: str) -> Service:
        """The service, with instances. Raises InvalidInput for cron jobs and static sites."""
        service = self.service
        if service.type not in INSTANCED:
            raise InvalidInput(f"{action} is not for a {service.type}: {self.name} has no instances.")
        return service

    def awake(self, action: str) -> None:
        """Raises InvalidInput while it is suspended."""
        if self.is_suspended:
            raise InvalidInput(
                f"{self.name} is suspended: {action} is for what runs.", hint="Resume it first."
            )


def is_off(thing: Service | Postgres | KeyValue) -> bool:
    """Whether it is suspended; Key Value says so only by its status."""
    if thing.suspended == "suspended":
        return True
    return not isinstance(thing, Service) and thing.status == "suspended"


async def read_subject(render: RenderClient, word: str) -> Subject:
    """The resource of this name or id, with its workspace and blueprint."""
    resource = await find_resource(render, word)
    owner, blueprint = await asyncio.gather(_owner(render, resource), _blueprint(render, resource))
    return Subject(resource, owner, blueprint)


async def _owner(render: RenderClient, resource: Resource) -> str:
    key = owner_of(resource.thing)
    try:
        name = (await render.get_owner(key)).name if key else ""
    except SergeiError:  # a key may see the service and not the workspace
        name = ""
    return f"{name} ({key})" if name else key or "unknown"


async def _blueprint(render: RenderClient, resource: Resource) -> str:
    """One sentence when a blueprint keeps it; empty when none does or they cannot be read."""
    try:
        for blueprint in (await render.list_blueprints(owner=owner_of(resource.thing) or None))[:_BLUEPRINTS]:
            whole = blueprint if blueprint.resources else await render.get_blueprint(blueprint.id)
            if any(each.id == resource.id for each in whole.resources):
                when = "syncs by itself, and then" if whole.auto_sync else "at its next sync"
                file = whole.path or "render.yaml"
                return f"Blueprint {whole.name} {when} resets what {file} names: change it there too."
    except SergeiError:
        return ""
    return ""


async def under_way(render: RenderClient, subject: Subject) -> str:
    """One sentence about a deploy of this service that is running now; empty when none is."""
    if subject.resource.kind != "service":
        return ""
    newest = await render.list_deploys(subject.id, most=5)
    running = next((deploy for deploy in newest if deploy.status in IN_PROGRESS), None)
    return f"Deploy {running.id} is under way ({running.status}): this disturbs it." if running else ""
