"""The tool list_services."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field

from tools.partial import Partial
from tools.registry import Effect, Params, Result, tool
from tools.render.describing import (
    autodeploy_words,
    key_value_words,
    newer,
    plan_words,
    postgres_words,
    revision,
    scale_words,
    serving,
    status_words,
)
from tools.render.models import Deploy, EnvGroup, Service
from tools.render.models_stores import KeyValue, Postgres
from tools.render.models_workspace import Project
from tools.render.naming import list_scoped_services, scoped_environments
from tools.resources import Resources
from tools.wording import ago, counted, stamp, table

if TYPE_CHECKING:
    from tools.render.client import RenderClient

MOST: Final = 60
"""Services whose deploys are read: one request each, of 400 a minute."""
_DEPLOYS: Final = 10


class ListServices(Params):
    """Arguments of list_services."""

    like: str = Field(
        default="", max_length=100, description="Only what has this in its name, type or region; empty: all."
    )


class ServiceLine(BaseModel):
    """One service. `serving` is the release that answers now, `latest` a newer deploy that does not."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    type: str
    plan: str
    region: str
    instances: str
    status: str
    serving: str
    since: str
    latest: str
    autodeploy: str
    url: str


class StoreLine(BaseModel):
    """One Postgres database, Key Value instance, environment group or project."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    kind: str
    details: str


class Services(Result):
    """Everything that runs in the workspace."""

    workspace: str
    services: tuple[ServiceLine, ...]
    others: tuple[StoreLine, ...]
    read_at: str
    note: str = ""

    def markdown(self) -> str:
        """Two tables; columns that are empty are left out."""
        headings = [
            "service", "id", "type", "plan", "region", "instances", "status", "serving", "since",
            "newer deploy", "autodeploy",
        ]  # fmt: skip
        rows = [
            [line.name, line.id, line.type, line.plan, line.region, line.instances, line.status, line.serving,
             line.since, line.latest, line.autodeploy]
            for line in self.services
        ]  # fmt: skip
        parts = [f"{self.workspace}: {counted(len(self.services), 'service')}, read at {self.read_at} UTC"]
        parts += [table(headings, rows)] if rows else ["No service."]
        if self.others:
            lines = [[line.name, line.id, line.kind, line.details] for line in self.others]
            parts.append(table(["also", "id", "kind", "details"], lines))
        return "\n\n".join([*parts, *([self.note] if self.note else [])])


@tool(Effect.READ, open_world=True)
async def list_services(params: ListServices, resources: Resources) -> Services:
    """List what runs on Render: services with plan, scale, status and serving deploy; databases, groups.

    Start here: it gives the names and ids that the other Render tools take. One resource in depth is
    describe_service; how it does is read_metrics and read_logs; what is wrong with it is diagnose_service.
    """
    render, part, now = resources.render, Partial(), resources.now()
    owner, environments = render.owner or None, await scoped_environments(render)
    known, postgres, caches, groups, projects = await asyncio.gather(
        list_scoped_services(render),
        part("Postgres", render.list_postgres(owner=owner, environment=environments), []),
        part("Key Value", render.list_key_values(owner=owner, environment=environments), []),
        part("environment groups", render.list_env_groups(owner=owner, environment=environments), []),
        part("projects", render.list_projects(owner=owner), []),
    )
    services = [each for each in known if _fits(params.like, each)]
    deploys = await asyncio.gather(
        *(
            part(f"deploys of {each.name}", render.list_deploys(each.id, most=_DEPLOYS), [])
            for each in services[:MOST]
        )
    )
    if len(services) > MOST:
        part.unread.append(f"deploys of {len(services) - MOST} services (narrow them with `like`)")
    read = [*deploys, *([[]] * max(0, len(services) - MOST))]
    others = _others(postgres, caches, groups, [] if environments else projects, known)
    return Services(
        workspace=await _workspaces(render, part, known),
        services=tuple(_line(service, found, now) for service, found in zip(services, read, strict=True)),
        others=tuple(
            line for line in others if params.like.casefold() in f"{line.name} {line.kind}".casefold()
        ),
        read_at=stamp(now),
        note=part.note(),
    )


def _fits(like: str, service: Service) -> bool:
    said = f"{service.name} {service.type} {service.service_details.region}"
    return like.casefold() in said.casefold()


async def _workspaces(render: RenderClient, part: Partial, known: Sequence[Service]) -> str:
    """The workspaces that these are in, by name and id; a key may see services and not their workspace."""
    keys = sorted({each.owner_id for each in known if each.owner_id} | set(filter(None, [render.owner])))
    found = await asyncio.gather(*(part("the workspace's name", render.get_owner(key), None) for key in keys))
    names = [f"{owner.name} ({key})" if owner else key for key, owner in zip(keys, found, strict=True)]
    return ", ".join(names) or "Render"


def _line(service: Service, deploys: Sequence[Deploy], now: datetime) -> ServiceLine:
    live, details = serving(deploys), service.service_details
    cron = service.type == "cron_job"
    return ServiceLine(
        id=service.id,
        name=service.name,
        type=service.type,
        plan=plan_words(details.plan),
        region=details.region,
        instances="" if cron else scale_words(service),
        status=status_words(service) or ("live" if live else "nothing is live"),
        serving=revision(live),
        since=ago(live.finished_at or live.created_at, now) if live else "",
        latest=newer(deploys, now),
        autodeploy=autodeploy_words(service),
        url=details.url,
    )


def _others(
    postgres: Sequence[Postgres],
    caches: Sequence[KeyValue],
    groups: Sequence[EnvGroup],
    projects: Sequence[Project],
    known: Sequence[Service],
) -> list[StoreLine]:
    names = {service.id: service.name for service in known}
    lines = [
        StoreLine(id=each.id, name=each.name, kind="Postgres", details=postgres_words(each))
        for each in postgres
    ]
    lines += [
        StoreLine(id=each.id, name=each.name, kind="Key Value", details=key_value_words(each))
        for each in caches
    ]
    for group in groups:
        linked = [names.get(link.id) or link.name or link.id for link in group.service_links]
        said = "linked to " + ", ".join(linked) if linked else "linked to no service"
        lines.append(StoreLine(id=group.id, name=group.name, kind="environment group", details=said))
    for project in projects:
        said = counted(len(project.environment_ids), "environment")
        lines.append(StoreLine(id=project.id, name=project.name, kind="project", details=said))
    return lines
