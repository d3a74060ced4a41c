"""The workspace as Render's API shows it, in few calls: lists first, then some for each service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from tools.partial import Partial
from tools.render.inventory import EnvGroupFacts, Inventory, Store, Unit, first, is_production
from tools.render.inventory_values import Value, look
from tools.render.models import Deploy, EnvGroup, Service
from tools.render.models_observed import Event
from tools.render.models_stores import KeyValue, Postgres
from tools.render.models_workspace import Blueprint, Environment, Member
from tools.render.naming import list_scoped_services, scoped_environments
from tools.resources import Resources

if TYPE_CHECKING:
    from tools.render.client import RenderClient

MOST: Final = 60
"""Services whose variables, deploys and domains are read: of 400 requests that Render allows a minute."""
_DEPLOYS: Final = 20
_RUNS: Final = 40
_MONTH: Final = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class _Lists:
    """What one call each gives."""

    postgres: list[Postgres]
    caches: list[KeyValue]
    groups: list[EnvGroupFacts]
    environments: list[Environment]
    blueprints: list[Blueprint]


async def read_live(resources: Resources) -> Inventory:
    """Everything that the rules need and the key may see; what it may not see is a gap."""
    render, part, now = resources.render, Partial(), resources.now()
    known = [one for one in await list_scoped_services(render) if one.service_details.parent_server is None]
    within = await scoped_environments(render)
    lists = await _lists(render, part, known, within)
    if len(known) > MOST:
        part.unread.append(
            f"variables, deploys and domains of {len(known) - MOST} services: too many at once"
        )
    units = await asyncio.gather(
        *(_unit(render, part, lists, one, now, deeply=index < MOST) for index, one in enumerate(known))
    )
    owners = sorted({one.owner_id for one in known if one.owner_id} | set(filter(None, [render.owner])))
    members = await asyncio.gather(
        *(
            part("the members of the workspace", render.list_members(owner), list[Member]())
            for owner in owners
        )
    )
    return Inventory(
        now=now,
        units=tuple(units),
        stores=tuple(_stores(lists)),
        groups=tuple(lists.groups),
        environments=tuple(lists.environments),
        blueprints=tuple(lists.blueprints),
        members=tuple({one.user_id: one for several in members for one in several}.values()),
        notifications=await _notifications(render, part, owners),
        live=True,
        whole=not (render.project or render.services),
        supabase_regions=await _supabase_regions(resources, part, units),
        gaps=tuple((what, why or "it could not be read") for what, _, why in (
            text.partition(": ") for text in dict.fromkeys(part.unread)
        )),
    )  # fmt: skip


async def _lists(
    render: RenderClient, part: Partial, known: list[Service], within: list[str] | None
) -> _Lists:
    owner = render.owner or None
    postgres, caches, groups, projects, blueprints = await asyncio.gather(
        part("Postgres databases", render.list_postgres(owner=owner, environment=within), list[Postgres]()),
        part(
            "Key Value instances", render.list_key_values(owner=owner, environment=within), list[KeyValue]()
        ),
        part("environment groups", render.list_env_groups(owner=owner, environment=within), list[EnvGroup]()),
        part("projects", render.list_projects(owner=owner), []),
        part("blueprints", render.list_blueprints(owner=owner), list[Blueprint]()),
    )
    ids = [project.id for project in projects]
    places = part("environments", render.list_environments(ids), list[Environment]()) if ids else _none()
    mine = {one.id for one in known}
    linked = [group for group in groups if mine & {link.id for link in group.service_links}]
    environments, whole, managing = await asyncio.gather(
        places,
        asyncio.gather(*(part(f"group {one.name}", render.get_env_group(one.id), one) for one in linked)),
        asyncio.gather(
            *(part(f"blueprint {one.name}", render.get_blueprint(one.id), one) for one in blueprints)
        ),
    )
    read = {group.id: group for group in whole}
    facts = [_group(group, read.get(group.id, group)) for group in groups]
    kept = [one for one in environments if within is None or one.id in within]
    return _Lists(postgres, caches, facts, kept, list(managing))


def _group(listed: EnvGroup, read: EnvGroup) -> EnvGroupFacts:
    """A group with its variables, where it was read alone, and its links, which only lists have for sure."""
    values = {one.key: look(one.key, one.value) for one in read.env_vars}
    links = read.service_links or listed.service_links
    return EnvGroupFacts(listed.name, listed.id, values, tuple(link.id for link in links))


async def _none() -> list[Environment]:
    return []


async def _unit(
    render: RenderClient, part: Partial, lists: _Lists, service: Service, now: datetime, *, deeply: bool
) -> Unit:
    unit = _as_listed(service, _environment(lists, service.environment_id))
    if not deeply:
        return unit
    name, cron = service.name, service.type == "cron_job"
    site = service.type in ("web_service", "static_site")
    variables, deploys, domains, events = await asyncio.gather(
        part(f"variables of {name}", render.list_env_vars(service.id), None),
        part(f"deploys of {name}", render.list_deploys(service.id, most=_DEPLOYS), list[Deploy]()),
        part(f"domains of {name}", render.list_custom_domains(service.id) if site else _empty(), []),
        part(f"runs of {name}", _runs(render, service.id, now) if cron else _empty(), list[Event]()),
    )
    skipped: list[Event] = []
    if service.repo:
        since = max([one.created_at for one in deploys if one.created_at], default=now - _MONTH)
        skipped = await part(f"builds of {name}", _skipped(render, service.id, since), list[Event]())
    own: dict[str, Value] | None = None
    if variables is not None:
        own = {}
        for group in lists.groups:
            own |= group.variables if service.id in group.linked else {}
        own |= {one.key: look(one.key, one.value) for one in variables}
    return replace(
        unit, variables=own, deploys=tuple(deploys), domains=tuple(domains), runs=tuple(_lengths(events)),
        skipped=tuple(skipped)
    )  # fmt: skip


async def _runs(render: RenderClient, service: str, now: datetime) -> list[Event]:
    kinds = ["cron_job_run_started", "cron_job_run_ended"]
    return await render.list_events(service, kind=kinds, start=now - timedelta(days=3), most=_RUNS)


async def _skipped(render: RenderClient, service: str, since: datetime) -> list[Event]:
    """What kept pushes from being built since the last deploy."""
    kinds = ["commit_ignored", "branch_deleted", "pipeline_minutes_exhausted"]
    return await render.list_events(service, kind=kinds, start=since, most=_RUNS)


async def _empty() -> list[object]:
    return []


def _lengths(events: Iterable[object]) -> list[timedelta]:
    """How long each run took that both began and ended among these events."""
    begun: dict[str, datetime] = {}
    ended: dict[str, datetime] = {}
    for event in events:
        if isinstance(event, Event) and event.timestamp:
            run = str(event.details.get("cronJobRunId", ""))
            (begun if event.type.endswith("started") else ended)[run] = event.timestamp
    return [ended[run] - at for run, at in begun.items() if run in ended]


def _environment(lists: _Lists, key: str) -> Environment | None:
    return next((one for one in lists.environments if one.id == key), None)


def _as_listed(service: Service, place: Environment | None) -> Unit:
    details = service.service_details
    commands, scaling = details.env_specific_details, details.autoscaling
    environment = place.name if place else ""
    filtered = service.build_filter or {}
    paths, ignored = (tuple(filtered.get(name) or ()) for name in ("paths", "ignoredPaths"))
    image = "" if service.repo else service.image_path
    trigger = service.auto_deploy_trigger or {"yes": "commit", "no": "off"}.get(service.auto_deploy, "")
    previews = str(details.previews.get("generation") or "")
    older = "automatic" if details.pull_request_previews_enabled == "yes" else "off"
    return Unit(
        name=service.name,
        kind=service.type,
        id=service.id,
        environment=environment,
        production=is_production(environment, service.name),
        plan=details.plan,
        region=details.region,
        runtime=first(details.runtime, details.env),
        repo=service.repo,
        branch=service.branch,
        root_dir=service.root_dir,
        image=image,
        build_command=first(details.build_command, commands.build_command),
        start_command=first(commands.start_command, commands.docker_command),
        pre_deploy_command=details.pre_deploy,
        health_check_path=details.health_check_path if service.type == "web_service" else None,
        instances=None if scaling and scaling.enabled else details.num_instances,
        scaling=(scaling.min, scaling.max) if scaling and scaling.enabled else None,
        disk=first(details.disk.name, details.disk.id) if details.disk else "",
        trigger="" if image else trigger,
        build_filter=(paths, ignored) if paths or ignored else None,
        shutdown_delay=details.max_shutdown_delay_seconds,
        schedule=details.schedule,
        last_success=details.last_successful_run_at,
        previews=previews or older,
        maintenance=details.maintenance_mode.get("enabled") is True,
        suspenders=service.suspenders or (("unknown",) if service.is_suspended else ()),
        notify=service.notify_on_fail,
        created_at=service.created_at,
        updated_at=service.updated_at,
    )


def _stores(lists: _Lists) -> Iterable[Store]:
    for database in lists.postgres:
        place = _environment(lists, database.environment_id)
        environment = place.name if place else ""
        yield Store(
            name=database.name,
            kind="postgres",
            id=database.id,
            environment=environment,
            production=is_production(environment, database.name),
            plan=database.plan,
            region=database.region,
            version=database.version,
            ranges=_ranges(database),
            expires_at=database.expires_at,
        )
    for cache in lists.caches:
        place = _environment(lists, cache.environment_id)
        environment = place.name if place else ""
        yield Store(
            name=cache.name,
            kind="key_value",
            id=cache.id,
            environment=environment,
            production=is_production(environment, cache.name),
            plan=cache.plan,
            region=cache.region,
            version=cache.version,
            ranges=_ranges(cache),
            eviction=str(cache.options.get("maxmemoryPolicy") or "").replace("_", "-"),
        )


def _ranges(store: Postgres | KeyValue) -> tuple[str, ...] | None:
    """Who may connect from outside. Render often answers null: then nothing is known."""
    return None if store.ip_allow_list is None else tuple(one.cidr_block for one in store.ip_allow_list)


async def _notifications(render: RenderClient, part: Partial, owners: list[str]) -> Mapping[str, str]:
    found = await asyncio.gather(
        *(
            part("notification settings", render.get_notification_settings(owner), None, optional=True)
            for owner in owners
        )
    )
    return {owner: one.notifications_to_send for owner, one in zip(owners, found, strict=True) if one}


async def _supabase_regions(resources: Resources, part: Partial, units: Iterable[Unit]) -> dict[str, str]:
    """The regions of Supabase's projects, asked only where a service points at one."""
    links = (link for unit in units for value in (unit.variables or {}).values() for link in value.links)
    if resources.supabase_or_none is None or not any(link.kind == "supabase" for link in links):
        return {}
    projects = await part("the regions of Supabase's projects", resources.supabase.list_projects(), [])
    return {first(one.ref, one.id): one.region for one in projects}
