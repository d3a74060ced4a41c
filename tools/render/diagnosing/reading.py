"""Reading the snapshot: every part by itself, so that one that cannot be read is said and costs no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from tools.partial import Partial
from tools.render.client import RenderClient
from tools.render.diagnosing.evidence import (
    Group,
    Line,
    Measured,
    Snapshot,
    Statement,
    Store,
    Trial,
    failed,
    failing_share,
    heap_of,
    reason_of,
)
from tools.render.diagnosing.logs import Reader
from tools.render.diagnosing.surroundings import read_statements, read_supabase, shown_sql
from tools.render.diagnosing.tracks import Track, combined, tracks
from tools.render.models import Deploy, EnvVar, Service
from tools.render.models_observed import Event, Metric, Series
from tools.render.models_workspace import Blueprint, BlueprintSync
from tools.resources import Resources

SPAN: Final = timedelta(hours=16)
"""How far back metrics are read: what lies before the trouble is the usual."""
HISTORY: Final = timedelta(days=14)
RECENT: Final = timedelta(days=2)
STEP: Final = 120
COARSE: Final = 1800
"""The resolution of what seldom changes."""
STALE: Final = timedelta(days=3)
"""A deploy that failed longer ago than this is history."""
_HEAP_SETTINGS: Final = frozenset({"NODE_OPTIONS", "NODE_ARGS"})
"""The only variables whose values are looked at, and only for a size of the heap."""


async def read(resources: Resources, service: Service, hours: float) -> Snapshot:
    """The snapshot of a service; trouble is looked for in the last `hours`."""
    render, now, part = resources.render, resources.now(), Partial()
    cron = service.type == "cron_job"
    since = now - timedelta(hours=max(hours, 30) if cron else hours)
    log = Reader(render, service, now)
    owner = service.owner_id
    settings, written, stands, around = await asyncio.gather(
        asyncio.gather(
            part("other services", render.list_services(owner=owner), []),
            part("deploys", render.list_deploys(service.id, most=20), []),
            part("events", render.list_events(service.id, start=now - HISTORY, most=400), []),
            part("environment variables", render.list_env_vars(service.id), []),
            _measure(render, service, now, part),
        ),
        asyncio.gather(
            part("log", log.complaints(since), ((), ())),
            part("log, latest lines", log.recent(), ()),
            part("log, lines on queues", log.gauges(since), ()),
        ),
        asyncio.gather(
            _groups(render, service, part),
            _databases(render, owner, now, part),
            _caches(render, owner, part),
            _blueprint(render, owner, service, part),
        ),
        asyncio.gather(
            part("audit log", render.list_audit_logs(owner, start=now - RECENT, most=50), [], optional=True),
            read_supabase(resources, since, now, part),
            read_statements(resources, part),
        ),
    )
    listed, deploys, events, env, measured = settings
    (said, wrong), recent, gauges = written
    (groups, flags), postgres, caches, (blueprint, syncs) = stands
    audit, supabase, statements = around
    trial = await _trial(log, deploys, events, now, part)
    failing_paths = await _paths(log, measured, since, part)
    last_words = await _last_words(log, events, since, part)
    command = service.service_details.env_specific_details
    return Snapshot(
        now=now,
        since=since,
        service=service,
        siblings=tuple(each for each in listed if each.id != service.id),
        deploys=tuple(deploys),
        events=tuple(events),
        said=said,
        wrong=wrong,
        recent=recent,
        gauges=gauges,
        failing_paths=failing_paths,
        last_words=last_words,
        trial=trial,
        measured=measured,
        env_names=frozenset(each.key for each in env) | {name for g in groups for name in g.names},
        heap_mb=heap_of([*_settings(env), *flags, command.start_command, command.docker_command]),
        groups=groups,
        postgres=postgres,
        key_values=caches,
        blueprint=blueprint,
        syncs=syncs,
        audit=tuple(audit),
        supabase=supabase,
        statements=(*statements, *await _top_queries(render, postgres, part)),
        unread=tuple(dict.fromkeys(part.unread)),
    )


def _settings(env: Sequence[EnvVar]) -> list[str]:
    return [each.value.reveal() for each in env if each.key in _HEAP_SETTINGS]


async def _paths(
    log: Reader, measured: Measured, since: datetime, part: Partial
) -> tuple[tuple[str, float], ...]:
    """Where requests fail, if a hundredth of them or more did in some minutes."""
    if failing_share(measured).between(since).quantile(0.9) < 0.01:
        return ()
    return await part("log of requests", log.failing_paths(since), (), optional=True)


async def _measure(render: RenderClient, service: Service, now: datetime, part: Partial) -> Measured:
    """All metrics at once; a kind of service that has none of a metric is not asked for it."""
    if service.type == "static_site":
        return Measured()

    async def get(name: Metric, **more: object) -> list[Series]:
        given = {"start": now - SPAN, "end": now, "resolution": STEP, **more}
        reading = render.get_metric(name, [service.id], **given)  # type: ignore[arg-type]  # passed on
        return await part(f"metric {name}", reading, [])

    async def nothing() -> list[Series]:
        return []

    details = service.service_details
    web, disk = service.type == "web_service", details.disk is not None
    scales = details.autoscaling is not None and details.autoscaling.enabled
    cpu, cpu_limit, memory, memory_limit, requests, p50, p95, instances, used, room = await asyncio.gather(
        get("cpu"),
        get("cpu-limit", resolution=COARSE),
        get("memory"),
        get("memory-limit", resolution=COARSE),
        get("http-requests", aggregate_by="statusCode") if web else nothing(),
        get("http-latency", quantile=0.5) if web else nothing(),
        get("http-latency", quantile=0.95) if web else nothing(),
        get("instance-count") if scales else nothing(),
        get("disk-usage", resolution=COARSE) if disk else nothing(),
        get("disk-capacity", resolution=COARSE) if disk else nothing(),
    )
    return Measured(
        cpu=tracks(cpu),
        cpu_limit=combined(tracks(cpu_limit)),
        memory=tracks(memory),
        memory_limit=combined(tracks(memory_limit)),
        requests=tracks(requests, "statusCode"),
        p50=combined(tracks(p50)),
        p95=combined(tracks(p95)),
        instances=combined(tracks(instances), "sum"),
        disk=combined(tracks(used)),
        disk_capacity=combined(tracks(room)),
    )


async def _groups(
    render: RenderClient, service: Service, part: Partial
) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """The linked environment groups, and their settings of Node."""
    listed = await part("environment groups", render.list_env_groups(owner=service.owner_id), [])
    linked = [each for each in listed if any(link.id == service.id for link in each.service_links)]
    whole = await asyncio.gather(
        *(part(f"environment group {each.name}", render.get_env_group(each.id), each) for each in linked)
    )
    groups = tuple(
        Group(each.name, each.id, frozenset(var.key for var in each.env_vars), each.updated_at)
        for each in whole
    )
    return groups, tuple(text for each in whole for text in _settings(each.env_vars))


async def _databases(render: RenderClient, owner: str, now: datetime, part: Partial) -> tuple[Store, ...]:
    listed = await part("Postgres databases", render.list_postgres(owner=owner), [])
    ids = [each.id for each in listed]
    start = now - SPAN
    used = await asyncio.gather(
        *(
            part(
                "metric active-connections",
                render.get_metric("active-connections", [key], start=start, end=now, resolution=COARSE),
                list[Series](),
            )
            for key in ids
        )
    )
    return tuple(
        Store(
            each.name, "Postgres", each.status, each.region, each.suspended == "suspended",
            each.id, each.plan, combined(tracks(series)) if series else Track(),
        )
        for each, series in zip(listed, used, strict=True)
    )  # fmt: skip


async def _caches(render: RenderClient, owner: str, part: Partial) -> tuple[Store, ...]:
    listed = await part("Key Value instances", render.list_key_values(owner=owner), [])
    return tuple(
        Store(e.name, "Key Value", e.status, e.region, e.suspended == "suspended", e.id, e.plan)
        for e in listed
    )


async def _blueprint(
    render: RenderClient, owner: str, service: Service, part: Partial
) -> tuple[Blueprint | None, tuple[BlueprintSync, ...]]:
    """The blueprint that keeps this service, or its repository, and its latest runs."""
    listed = await part("blueprints", render.list_blueprints(owner=owner), [])
    whole = await asyncio.gather(
        *(part(f"blueprint {each.name}", render.get_blueprint(each.id), each) for each in listed)
    )
    for each in sorted(whole, key=lambda b: not any(r.id == service.id for r in b.resources)):
        if any(r.id == service.id for r in each.resources) or (each.repo and each.repo == service.repo):
            syncs = await part("blueprint runs", render.list_blueprint_syncs(each.id, most=10), [])
            return each, tuple(syncs)
    return None, ()


async def _trial(
    log: Reader, deploys: Sequence[Deploy], events: Sequence[Event], now: datetime, part: Partial
) -> Trial | None:
    """The latest deploy where it failed lately, with what it wrote."""
    ended = [each for each in deploys if each.status != "canceled"]
    latest = ended[0] if ended else None
    when = (latest.finished_at or latest.created_at) if latest else None
    if latest is None or not failed(latest) or when is None or now - when > STALE:
        return None
    step = {"build_failed": "build", "pre_deploy_failed": "pre_deploy"}.get(latest.status, "update")
    building = step == "build"
    reading = log.build(latest) if building else log.start(latest)
    found = await part(f"log of deploy {latest.id}", reading, ())
    return Trial(latest, step, _reason(latest, events, step), found)


def _reason(deploy: Deploy, events: Sequence[Event], step: str) -> Mapping[str, Any]:
    """The reason that the events of a deploy give; a build's event names the build, not the deploy."""
    build = deploy.id.partition("-")[2]
    for each in events:
        ids = (str(each.details.get("deployId", "")), str(each.details.get("buildId", "")).partition("-")[2])
        ours = ids[0] == deploy.id or (ids[1] and ids[1] == build)
        near = (
            step == "build"
            and each.type == "build_ended"
            and deploy.finished_at is not None
            and each.timestamp is not None
            and abs((each.timestamp - deploy.finished_at).total_seconds()) < 60
        )
        if (ours or near) and each.type.endswith("_ended") and (reason := reason_of(each)):
            return reason
    return {}


async def _last_words(
    log: Reader, events: Sequence[Event], since: datetime, part: Partial
) -> tuple[tuple[datetime, tuple[Line, ...]], ...]:
    """What was written right before each of the five latest failures."""
    times = [
        e.timestamp for e in events if e.type == "server_failed" and e.timestamp and e.timestamp >= since
    ][:5]
    said = await asyncio.gather(*(part("log before a failure", log.before(at), ()) for at in times))
    return tuple(zip(times, said, strict=True))


async def _top_queries(render: RenderClient, stores: Sequence[Store], part: Partial) -> tuple[Statement, ...]:
    """What costs most in Render's own databases, where it tells."""
    found: list[Statement] = []
    for store in stores[:2]:
        what = f"queries of {store.name}"
        top = await part(what, render.get_query_statistics(store.id), [], optional=True)
        found += [
            Statement(shown_sql(q.query), q.calls, q.mean_time_ms, q.max_time_ms, store.name)
            for q in top[:10]
        ]
    return tuple(found)
