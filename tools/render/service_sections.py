"""What can be told of one service, each part by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tools.partial import Partial
from tools.render.describing import (
    autodeploy_words,
    plan_words,
    revision,
    scale_words,
    serving,
    status_words,
)
from tools.render.happenings import event_words, telling
from tools.render.models import FAILED, Deploy, EnvGroup, Service
from tools.render.models_observed import Event
from tools.sections import Section, facts, rows
from tools.wording import ago, counted, span, stamp

if TYPE_CHECKING:
    from tools.render.client import RenderClient

_FEW: Final = 5
_NO_CHECK: Final = "NONE: a broken release would be let in"
_NAMES: Final = 40
_FILTERS: Final = (("paths", "only"), ("ignoredPaths", "not"))
_DAY: Final = timedelta(days=1)
_WITH_DOMAINS: Final = frozenset({"web_service", "static_site"})


async def overview(render: RenderClient, service: Service, now: datetime, part: Partial) -> list[Section]:
    """Settings, latest deploys and events, environment by name, instances, disk, domains."""
    runs = service.type not in {"static_site", "cron_job"}
    deploys, events, variables, groups, instances, domains = await asyncio.gather(
        part("deploys", render.list_deploys(service.id, most=20), []),
        part("events", render.list_events(service.id, start=now - 2 * _DAY, most=200), []),
        part("environment variables", render.list_env_vars(service.id), []),
        linked_groups(render, service, part),
        part("instances", render.list_instances(service.id), []) if runs else _nothing(),
        part("domains", render.list_custom_domains(service.id), [])
        if service.type in _WITH_DOMAINS
        else _nothing(),
    )
    names = ", ".join(variable.key for variable in variables[:_NAMES])
    more = f" and {len(variables) - _NAMES} more" if len(variables) > _NAMES else ""
    seen = telling(events)
    quiet = len(events) - len(seen)
    around = {
        "environment": f"{names}{more} (values: section `environment`)" if variables else "no own variables",
        "environment groups": ", ".join(f"{group.name} ({group.id})" for group in groups),
        "instances": f"{counted(len(instances), 'instance')} running, oldest since "
        + stamp(min((each.created_at for each in instances if each.created_at), default=None), now)
        if instances
        else "",
        "domains": ", ".join(
            f"{each.name} ({each.verification_status})" if each.verification_status else each.name
            for each in domains
        ),
    }
    title = f"Events of the last two days{f' (and {quiet} of routine)' if quiet else ''}"
    return [
        facts("", {**settings(service), **around}),
        deploy_table(deploys, now, most=_FEW),
        event_table(title, seen, now, most=8),
    ]


def settings(service: Service) -> dict[str, Any]:
    """How it is set up; an absent health check is said, as it is a risk of every deploy."""
    details = service.service_details
    commands = details.env_specific_details
    previews = details.previews.get("generation") or details.pull_request_previews_enabled
    runtime = details.runtime or details.env
    source = " ".join(filter(None, [service.repo, service.branch, service.root_dir]))
    return {
        "status": status_words(service),
        "url": details.url,
        "plan": ", ".join(filter(None, [plan_words(details.plan), details.region, runtime])),
        "instances wanted": scale_words(service),
        "source": service.image_path or source,
        "autodeploy": autodeploy_words(service),
        "build filter": _filter(service),
        "build": details.build_command or commands.build_command,
        "pre-deploy": details.pre_deploy,
        "start": commands.start_command or commands.docker_command,
        "publishes": details.publish_path,
        "health check": details.health_check_path or (_NO_CHECK if service.type == "web_service" else ""),
        "shutdown delay": f"{delay} s" if (delay := details.max_shutdown_delay_seconds) else "",
        "schedule": f"{details.schedule} (UTC), last success {stamp(details.last_successful_run_at)}"
        if details.schedule
        else "",
        "disk": f"{details.disk.name}, {details.disk.size_gb} GB at {details.disk.mount_path} "
        "(one instance, deploys have downtime)"
        if details.disk
        else "",
        "previews": previews if previews not in {"off", "no"} else "",
        "dashboard": service.dashboard_url,
    }


def deploy_table(deploys: Sequence[Deploy], now: datetime, *, most: int) -> Section:
    """Deploys, newest first; the one that serves is marked."""
    live = serving(deploys)
    cells = [
        [
            each.id,
            each.status + (" (serves)" if live and each.id == live.id else ""),
            revision(each),
            each.trigger,
            ago(each.created_at, now),
            took(each.started_at or each.created_at, each.finished_at),
        ]
        for each in deploys
    ]
    failed = sum(each.status in FAILED for each in deploys)
    title = f"Deploys ({failed} of the latest {len(deploys)} failed or canceled)" if failed else "Deploys"
    return rows(title, ["deploy", "status", "revision", "by", "started", "took"], cells, most=most)


def event_table(title: str, events: Sequence[Event], now: datetime, *, most: int) -> Section:
    """Events, newest first."""
    cells = [[stamp(each.timestamp, now), each.type, event_words(each)] for each in events]
    return rows(title, ["at", "event", "details"], cells, most=most, strange=True)


async def linked_groups(render: RenderClient, service: Service, part: Partial) -> list[EnvGroup]:
    """The environment groups that are linked to a service; the list has no variables."""
    known = await part("environment groups", render.list_env_groups(owner=service.owner_id or None), [])
    return [group for group in known if any(link.id == service.id for link in group.service_links)]


def _filter(service: Service) -> str:
    given = service.build_filter or {}
    said = [f"{word} {', '.join(map(str, given[key]))}" for key, word in _FILTERS if given.get(key)]
    return ", ".join(said)


def took(start: datetime | None, end: datetime | None) -> str:
    """How long it took; empty while it is not over."""
    return span(end - start) if start and end else ""


async def _nothing() -> list[Any]:
    return []
