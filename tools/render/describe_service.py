"""The tool describe_service."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal

from pydantic import Field

from tools.errors import InvalidInput
from tools.logs.windows import SAID, Window, parse_window
from tools.partial import Partial
from tools.registry import Effect, Params, tool
from tools.render import service_parts, service_sections, store_sections
from tools.render.models import EnvGroup, Service
from tools.render.models_stores import KeyValue
from tools.render.naming import find_resource
from tools.resources import Resources
from tools.sections import Description, Section

RETENTION: Final = timedelta(days=60)


class DescribeService(Params):
    """Arguments of describe_service."""

    name: str = Field(
        min_length=1,
        max_length=120,
        description="Name or id of a service, Postgres, Key Value or environment group.",
    )
    section: Literal[
        "overview", "deploys", "events", "environment", "jobs", "disk", "network", "blueprint"
    ] = Field(default="overview", description="One part in depth; jobs are also the runs of a cron job.")
    window: str = Field(default="2d", max_length=100, description="For deploys, events and runs. " + SAID)


@tool(Effect.READ, open_world=True)
async def describe_service(params: DescribeService, resources: Resources) -> Description:
    """Describe one service, database, Key Value instance or environment group on Render.

    The overview has settings, latest deploys and events, instances, names of environment variables, groups,
    disk and domains; `section` tells one of these in depth. Values of variables are never shown, only
    digests: equal ones are equal values. How it does is read_metrics, what it says read_logs.
    """
    render, part, now = resources.render, Partial(), resources.now()
    window = parse_window(params.window, now, longest=RETENTION)
    found = await find_resource(render, params.name)
    thing = found.thing
    if isinstance(thing, Service):
        sections = await _service(params, resources, thing, window, part)
    elif params.section != "overview" and not (
        params.section == "environment" and isinstance(thing, EnvGroup)
    ):
        raise InvalidInput(f"{found.label} has no section {params.section}: only services have.")
    elif isinstance(thing, EnvGroup):
        sections = await store_sections.env_group(render, thing, now, part)
    elif isinstance(thing, KeyValue):
        sections = await store_sections.key_value(render, thing, now, part)
    else:
        sections = await store_sections.postgres(render, thing, now, part)
    return Description(of=found.label, sections=tuple(sections), note=part.note())


async def _service(
    params: DescribeService, resources: Resources, service: Service, window: Window, part: Partial
) -> list[Section]:
    render, now = resources.render, resources.now()
    match params.section:
        case "overview":
            return await service_sections.overview(render, service, now, part)
        case "deploys":
            asked = render.list_deploys(
                service.id, created_after=window.start, created_before=window.end, most=60
            )
            return [service_sections.deploy_table(await part("deploys", asked, []), now, most=30)]
        case "events":
            listed = render.list_events(service.id, start=window.start, end=window.end, most=200)
            events = await part("events", listed, [])
            return [service_sections.event_table(f"Events, {window.label}", events, now, most=35)]
        case "environment":
            return await service_parts.environment(render, service, part)
        case "jobs":
            return await service_parts.jobs(render, service, window, now, part)
        case "disk":
            return await service_parts.disk(render, service, now, part)
        case "network":
            return await service_parts.network(render, service, part)
        case "blueprint":
            return await service_parts.blueprint(render, service, now, part)
