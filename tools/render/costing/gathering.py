"""Reads everything that a review of costs needs, and lets the pure parts judge it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tools.render.costing import idle, sizing, stores, supabase
from tools.render.costing.load import Load
from tools.render.costing.prices import Prices
from tools.render.costing.proposal import Proposal
from tools.render.costing.readings import Readings
from tools.render.costing.spend import Spend
from tools.render.deploying.memory_fit import READ, check_memory
from tools.render.models import Service
from tools.render.models_stores import KeyValue, Postgres
from tools.render.naming import list_scoped_services, scoped_environments

if TYPE_CHECKING:
    from tools.partial import Partial
    from tools.render.client import RenderClient
    from tools.supabase.client import SupabaseClient

MOST: Final = 60
"""Resources whose readings are asked for: seven requests each, of 400 a minute."""


@dataclass(frozen=True, slots=True)
class Estate:
    """What there is. `environments` and `blueprints` are names by the id of what is in them."""

    services: Sequence[Service]
    postgres: Sequence[Postgres]
    key_values: Sequence[KeyValue]
    environments: Mapping[str, str]
    blueprints: Mapping[str, str]


@dataclass(slots=True)
class Findings:
    """What the review found."""

    spend: Spend
    proposals: list[Proposal] = field(default_factory=list[Proposal])
    notes: list[str] = field(default_factory=list[str])
    unexamined: list[str] = field(default_factory=list[str])
    loads: Sequence[Load] = ()
    scales: bool = False
    """Whether anything scales by itself, which a workspace on hobby does not have."""

    def bandwidth(self, workspace: str) -> str:
        """What the traffic of all services costs, by the workspace's plan."""
        return self.spend.traffic(self.loads, workspace, scales=self.scales)


async def read_estate(render: RenderClient, part: Partial, like: str) -> Estate:
    """Services with previews, databases with replicas, caches, and what they belong to."""
    owner, inside = render.owner or None, await scoped_environments(render)
    services, previews, postgres, caches, environments, blueprints = await asyncio.gather(
        list_scoped_services(render),
        part("previews", render.list_services(owner=owner, environment=inside, previews=True), []),
        part("Postgres", render.list_postgres(owner=owner, environment=inside, replicas=True), []),
        part("Key Value", render.list_key_values(owner=owner, environment=inside), []),
        _environments(render, part),
        _blueprints(render, part),
    )
    own = {service.id for service in services}
    more = [
        each
        for each in previews
        if each.id not in own and (parent := each.service_details.parent_server) and parent.id in own
    ]
    word = like.casefold()
    return Estate(
        [each for each in (*services, *more) if word in each.name.casefold()],
        [each for each in postgres if word in each.name.casefold()],
        [each for each in caches if word in each.name.casefold()],
        environments,
        blueprints,
    )


async def review(
    render: RenderClient, part: Partial, estate: Estate, prices: Prices, now: datetime
) -> Findings:
    """Everything on Render."""
    readings, found = Readings(render, part, now), Findings(Spend(prices))
    services = estate.services[:MOST]
    if len(estate.services) > MOST:
        found.unexamined.append(f"{len(estate.services) - MOST} services (narrow them with `like`)")
    loads = await asyncio.gather(*(_load(readings, each) for each in services))
    for service, load in zip(services, loads, strict=True):
        await _service(readings, estate, found, service, load)
    databases = await asyncio.gather(
        *(readings.store(each.id, each.name, disk=True) for each in estate.postgres)
    )
    for database, load in zip(estate.postgres, databases, strict=True):
        found.spend.postgres(database, load, estate.environments.get(database.environment_id, ""))
        await _store(readings, estate, found, database, load)
    caches = await asyncio.gather(
        *(readings.store(each.id, each.name, disk=False) for each in estate.key_values)
    )
    for instance, load in zip(estate.key_values, caches, strict=True):
        found.spend.key_value(instance, load, estate.environments.get(instance.environment_id, ""))
        await _store(readings, estate, found, instance, load)
    scaling = (each.service_details.autoscaling for each in services)
    found.loads, found.scales = loads, any(each and each.enabled for each in scaling)
    return found


async def add_supabase(found: Findings, client: SupabaseClient | None, part: Partial, now: datetime) -> None:
    """The Supabase project, where there is a token and a project."""
    if client is None or not client.project_ref:
        found.unexamined.append("Supabase (no access token or no project is configured)")
        return
    costs = await supabase.read(client, part, found.spend.prices, now)
    found.spend.lines += costs.lines
    found.spend.unknown += costs.unknown
    found.proposals += costs.proposals
    found.notes += costs.notes
    found.unexamined += supabase.NOT_EXAMINED


async def _service(readings: Readings, estate: Estate, found: Findings, service: Service, load: Load) -> None:
    prices = found.spend.prices
    environment = estate.environments.get(service.environment_id, "")
    line = found.spend.service(service, load, environment)
    disk = service.service_details.disk
    running = (line.month or 0.0) - prices.rate("disk_gb") * (disk.size_gb or 0 if disk else 0)
    found.notes += filter(None, [idle.cron_words(service, load, readings.now)])
    if service.is_suspended:
        _add(found, estate, idle.leftover(service, prices, readings.now))
        return
    if service.type in ("cron_job", "static_site"):
        return
    best = idle.preview(service, running, readings.now) or idle.unused(service, load, running, readings.now)
    if best is None:
        found.notes += filter(None, [sizing.tight(service, load, prices)])
        options = [await _sized(readings, found, service, load)]
        if not idle.is_production(service.name, environment):
            options.append(idle.night(service, load, running))
        best = max(filter(None, options), key=lambda each: each.saves, default=None)
    if not sizing.enough(load):
        found.unexamined.append(
            f"{service.name}: {len(load.hours)} of {load.asked} hours have readings, too few"
        )
    _add(found, estate, best)


async def _sized(readings: Readings, found: Findings, service: Service, load: Load) -> Proposal | None:
    """What sizing proposes and still proposes once the busiest days were read by the minute."""
    prices, now = found.spend.prices, readings.now
    if sizing.propose(service, load, prices, now) is None:
        return None
    fine = await readings.again(service.id, service.name, load)
    best = None if fine is None else sizing.propose(service, fine, prices, now)
    if best is None or 'action="change_plan"' not in best.do:
        return best
    plan = best.do.rpartition('plan="')[2].split('"')[0]
    words = await _heap(readings, service, plan)
    return best.model_copy(update={"risk": f"{words}; {best.risk}"}) if words else best


async def _heap(readings: Readings, service: Service, plan: str) -> str:
    """Whether a heap flag was set for more memory than the smaller plan has."""
    variables = await readings.part(
        f"variables of {service.name}", readings.render.list_env_vars(service.id), None
    )
    if variables is None:
        return "whether a heap flag fits was not read"
    settings = {each.key: each.value.reveal() for each in variables if each.key in READ}
    command = service.service_details.env_specific_details.start_command
    check = check_memory(plan, command, settings)
    return "" if check.level == "ok" else f"LOWER THE HEAP FIRST: {check.said}"


async def _store(
    readings: Readings, estate: Estate, found: Findings, store: Postgres | KeyValue, load: Load
) -> None:
    prices, now = found.spend.prices, readings.now
    if not sizing.enough(load):
        found.unexamined.append(
            f"{store.name}: {len(load.hours)} of {load.asked} hours have readings, too few"
        )
    found.notes += filter(None, [stores.tight(store, load, prices)])
    if isinstance(store, Postgres):
        _add(found, estate, stores.postgres_disk(store, load, prices))
        if store.role not in ("", "primary") or store.read_replicas:
            found.unexamined.append(
                f"{store.name}: a smaller plan (it has, or is, a replica of the same size)"
            )
            return
    first = _store_proposal(store, load, prices, now)
    if first is None or first.change.startswith("suspend"):
        _add(found, estate, first)
        return
    fine = await readings.again(store.id, store.name, load)
    _add(found, estate, None if fine is None else _store_proposal(store, fine, prices, now))


def _store_proposal(store: Postgres | KeyValue, load: Load, prices: Prices, now: datetime) -> Proposal | None:
    if isinstance(store, Postgres):
        return stores.postgres(store, load, prices, now)
    return stores.key_value(store, load, prices, now)


def _add(found: Findings, estate: Estate, proposal: Proposal | None) -> None:
    """Noted, with the blueprint that would take it back; by its id where another thing has the same name."""
    if proposal is None:
        return
    blueprint = estate.blueprints.get(proposal.id)
    if blueprint and 'action="suspend"' not in proposal.do:
        more = f"render.yaml of blueprint {blueprint} must say the same, or its next sync takes it back"
        proposal = proposal.model_copy(update={"risk": f"{proposal.risk}; {more}"})
    things = (*estate.services, *estate.postgres, *estate.key_values)
    if sum(1 for each in things if each.name == proposal.resource) > 1:
        words = {
            name: text.replace(f'service="{proposal.resource}"', f'service="{proposal.id}"')
            for name, text in (("do", proposal.do), ("undo", proposal.undo))
        }
        proposal = proposal.model_copy(update=words)
    found.proposals.append(proposal)


async def _load(readings: Readings, service: Service) -> Load:
    if service.is_suspended:
        return Load(readings.asked)
    if service.type == "cron_job":
        return await readings.cron(service.id, service.name)
    if service.type == "static_site":
        return await readings.site(service.id, service.name)
    count, web = service.service_details.num_instances, service.type == "web_service"
    return await readings.service(service.id, service.name, web=web, instances=count)


async def _environments(render: RenderClient, part: Partial) -> dict[str, str]:
    projects = await part("projects", render.list_projects(owner=render.owner or None), [])
    if not projects:
        return {}
    asked = render.list_environments([each.id for each in projects])
    return {each.id: each.name for each in await part("environments", asked, [])}


async def _blueprints(render: RenderClient, part: Partial) -> dict[str, str]:
    known = await part("blueprints", render.list_blueprints(owner=render.owner or None), [])
    found = await asyncio.gather(
        *(part(f"blueprint {each.name}", render.get_blueprint(each.id), each) for each in known)
    )
    return {resource.id: each.name for each in found for resource in each.resources}
