"""Parts of a service that are told only on request: environment, jobs, disk, network, blueprint."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tools.logs.windows import Window
from tools.partial import Partial
from tools.render.models import EnvVar, OutboundAddresses, SecretFile, Service
from tools.render.service_sections import event_table, linked_groups, took
from tools.sections import Section, facts, rows
from tools.wording import ago, clipped, stamp

if TYPE_CHECKING:
    from tools.render.client import RenderClient

_HIDDEN = "overridden by the service"


async def environment(render: RenderClient, service: Service, part: Partial) -> list[Section]:
    """Names and digests of all variables, the service's own first; of which groups they come."""
    own, files, listed = await asyncio.gather(
        part("environment variables", render.list_env_vars(service.id), []),
        part("secret files", render.list_secret_files(service.id), []),
        linked_groups(render, service, part),
    )
    groups = await asyncio.gather(
        *(part(f"group {group.name}", render.get_env_group(group.id), group) for group in listed)
    )
    mine = {variable.key for variable in own}
    cells = [[variable.key, _digest(variable), "the service", ""] for variable in own]
    cells += [
        [
            variable.key,
            _digest(variable),
            group.name,
            "overridden by the service" if variable.key in mine else "",
        ]
        for group in groups
        for variable in group.env_vars
    ]
    named = [*((each, "the service") for each in files)]
    named += [(each, group.name) for group in groups for each in group.secret_files]
    return [
        rows("Variables (equal digests are equal values)", ["name", "value", "from", "but"], cells, most=80),
        *_files(named),
    ]


async def jobs(
    render: RenderClient, service: Service, window: Window, now: datetime, part: Partial
) -> list[Section]:
    """One-off jobs; for a cron job its runs, as its events tell them."""
    found = await part("jobs", render.list_jobs(service.id, most=30), [])
    cells = [
        [
            each.id,
            each.status,
            clipped(each.start_command, 90),
            each.plan_id,
            ago(each.created_at, now),
            took(each.started_at, each.finished_at),
        ]
        for each in found
    ]
    section = rows(
        "One-off jobs", ["job", "status", "command", "plan", "created", "took"], cells, strange=True
    )
    if service.type != "cron_job":
        return [section]
    kinds = ["cron_job_run_started", "cron_job_run_ended"]
    events = await part(
        "runs", render.list_events(service.id, kind=kinds, start=window.start, end=window.end, most=400), []
    )
    ended = [each for each in events if each.type == "cron_job_run_ended"]
    bad = [each for each in ended if each.details.get("status") != "successful"]
    title = f"Runs, {window.label}: {len(ended)} ended, {len(bad)} of them not well"
    shown = [*bad, *(each for each in ended if each not in bad)][:20]
    return [event_table(title, shown, now, most=20), *([section] if found else [])]


async def disk(render: RenderClient, service: Service, now: datetime, part: Partial) -> list[Section]:
    """The disk and its snapshots."""
    own = service.service_details.disk
    if own is None:
        return [facts("", {"disk": "none"})]
    snapshots = await part("snapshots", render.list_snapshots(own.id), [])
    told = {"disk": f"{own.name} ({own.id})", "size": f"{own.size_gb} GB", "mounted at": own.mount_path}
    cells = [[stamp(each.created_at, now), ago(each.created_at, now), each.instance_id] for each in snapshots]
    return [facts("", told), rows("Snapshots", ["taken", "age", "instance"], cells)]


async def network(render: RenderClient, service: Service, part: Partial) -> list[Section]:
    """Domains, who may connect, from where it calls, ports."""
    domains, outbound = await asyncio.gather(
        part("domains", render.list_custom_domains(service.id), []),
        part(
            "outbound addresses",
            render.get_outbound_addresses(service.id),
            OutboundAddresses(),
            optional=True,
        ),
    )
    details = service.service_details
    allowed = [f"{each.cidr_block} {each.description}".strip() for each in details.ip_allow_list]
    ports = [f"{each.get('port')}/{each.get('protocol', 'TCP')}" for each in details.open_ports]
    told = {
        "url": details.url,
        "may connect": ", ".join(allowed) or "Render gives no list",
        "ports": ", ".join(ports),
        "calls from": ", ".join(outbound.ips),
        "ssh": details.ssh_address,
        "maintenance mode": "on" if details.maintenance_mode.get("enabled") else "off",
    }
    cells = [
        [each.name, each.domain_type, each.verification_status, each.redirect_for_name] for each in domains
    ]
    return [facts("", told), rows("Domains", ["domain", "kind", "verified", "redirects"], cells)]


async def blueprint(render: RenderClient, service: Service, now: datetime, part: Partial) -> list[Section]:
    """The blueprint that keeps it, and its latest runs: what it says wins over a change by hand."""
    known = await part("blueprints", render.list_blueprints(owner=service.owner_id or None), [])
    wholes = await asyncio.gather(
        *(part(f"blueprint {each.name}", render.get_blueprint(each.id), each) for each in known)
    )
    mine = next((each for each in wholes if any(one.id == service.id for one in each.resources)), None)
    if mine is None:
        return [facts("", {"blueprint": f"none of {len(known)} keeps this service"})]
    syncs = await part("blueprint runs", render.list_blueprint_syncs(mine.id, most=10), [])
    told = {
        "blueprint": f"{mine.name} ({mine.id}), {mine.status}",
        "file": f"{mine.path} on {mine.branch} of {mine.repo}",
        "synchronises by itself": "yes" if mine.auto_sync else "no",
        "last sync": ago(mine.last_sync, now),
    }
    cells = [[each.state, str(each.commit.get("id", ""))[:7], ago(each.completed_at, now)] for each in syncs]
    return [facts("", told), rows("Runs", ["state", "commit", "ended"], cells)]


def _digest(variable: EnvVar | SecretFile) -> str:
    value = variable.value if isinstance(variable, EnvVar) else variable.content
    return value.digest or "empty"


def _files(named: Sequence[tuple[SecretFile, str]]) -> list[Section]:
    cells = [[each.name, _digest(each), where] for each, where in named]
    return [rows("Secret files", ["file", "content", "from"], cells)] if cells else []
