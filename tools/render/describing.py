"""How a service, its scale and its deploys are said in a few words, the same in every answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from tools.http.wire import Wire
from tools.render.models import FAILED, IN_PROGRESS, LIVE, Deploy, Service
from tools.render.models_stores import KeyValue, Postgres
from tools.render.plans import PLANS
from tools.wording import ago, clipped, counted

_TITLE: Final = 50
_LONG: Final = 120


class Limit(Wire):
    """What `oomKilled` says: the limit that was exceeded, as 512Mi."""

    memory_limit: str = ""


def plan_words(plan: str) -> str:
    """`2c-4g (pro)`."""
    return f"{plan} ({PLANS[plan]})" if plan in PLANS else plan


def scale_words(service: Service) -> str:
    """`2`, or `2-5 by cpu 65 %` while autoscaling is on (the set number is not in force then)."""
    details = service.service_details
    scaling = details.autoscaling
    if scaling is None or not scaling.enabled:
        return "" if details.num_instances is None else str(details.num_instances)
    targets = [
        f"{name} {threshold.percentage} %"
        for name, threshold in (("cpu", scaling.criteria.cpu), ("memory", scaling.criteria.memory))
        if threshold.enabled
    ]
    return f"{scaling.min}-{scaling.max} by {' and '.join(targets) or 'nothing'}"


def autodeploy_words(service: Service) -> str:
    """What deploys it without a person: `on commit`, `after checks`, `off`; empty for an image."""
    if not service.repo and service.image_path:
        return ""
    if not service.deploys_by_itself:
        return "off"
    trigger = service.auto_deploy_trigger or "commit"
    words = {"commit": "on commit", "checksPass": "after checks"}.get(trigger, trigger)
    return f"{words} to {service.branch}" if service.branch else words


def status_words(service: Service) -> str:
    """`suspended by user`, `in maintenance`, the schedule of a cron job; else empty or `runs`."""
    if service.is_suspended:
        by = ", ".join(service.suspenders)
        return f"suspended by {by}" if by else "suspended"
    if service.service_details.maintenance_mode.get("enabled"):
        return "in maintenance"
    if service.type == "cron_job":
        return f"cron {service.service_details.schedule}"
    return ""


def revision(deploy: Deploy | None, *, title: bool = True) -> str:
    """`4f3a2b1 "Upgrade supabase-js"`, or the image."""
    if deploy is None:
        return ""
    if deploy.commit and deploy.commit.id:
        said = clipped(deploy.commit.message, _TITLE) if title else ""
        return f'{deploy.commit.id[:7]} "{said}"' if said else deploy.commit.id[:7]
    if deploy.image and deploy.image.ref:
        return deploy.image.ref.removeprefix("docker.io/library/").removeprefix("docker.io/")
    return deploy.id


def serving(deploys: Sequence[Deploy]) -> Deploy | None:
    """The deploy whose release answers now, among these, newest first."""
    return next((deploy for deploy in deploys if deploy.status == LIVE), None)


def newer(deploys: Sequence[Deploy], now: datetime) -> str:
    """What became of the newest deploy where it is not the one that serves: failed, or still running."""
    latest = deploys[0] if deploys else None
    if latest is None or latest.status == LIVE:
        return ""
    if latest.status in IN_PROGRESS or latest.status in FAILED:
        return f"{latest.status} {ago(latest.finished_at or latest.created_at, now)}"
    return latest.status


def postgres_words(database: Postgres) -> str:
    """Plan, version, size, availability and who may connect."""
    parts = [
        database.plan,
        f"PostgreSQL {database.version}" if database.version else "",
        f"disk {database.disk_size_gb} GB" if database.disk_size_gb else "",
        "suspended" if database.suspended == "suspended" else database.status,
        "high availability" if database.high_availability_enabled else "no standby",
        database.role if database.role not in {"", "primary"} else "",
        counted(len(database.read_replicas), "read replica") if database.read_replicas else "",
        database.region,
    ]
    return ", ".join(filter(None, parts))


def key_value_words(instance: KeyValue) -> str:
    """Plan, version, what it does when full, availability."""
    policy = instance.options.get("maxmemoryPolicy")
    parts = [
        instance.plan,
        f"version {instance.version}" if instance.version else "",
        f"when full: {policy}" if policy else "",
        "suspended" if instance.suspended == "suspended" else instance.status,
        instance.region,
    ]
    return ", ".join(filter(None, parts))


def reason_words(reason: Mapping[str, Any]) -> str:
    """Why an instance, build or deploy failed, from an event's `reason`: `out of memory (limit 512Mi)`."""
    said = [_reason(key, value) for key, value in reason.items() if value not in (None, False, "", {})]
    return ", ".join(dict.fromkeys(said))


def _reason(key: str, value: Any) -> str:
    match key:
        case "oomKilled":
            limit = Limit.model_validate(value).memory_limit if isinstance(value, Mapping) else ""
            return f"out of memory (limit {limit})" if limit else "out of memory"
        case "nonZeroExit":
            return f"exited with status {value}"
        case "earlyExit":
            return "exited before it was ready"
        case "evicted":
            return "evicted"
        case "timedOutSeconds":
            return f"timed out after {value} s"
        case "timedOutReason":
            return clipped(str(value), _LONG)
        case "failure" if isinstance(value, Mapping):
            return reason_words(value)  # pyright: ignore[reportUnknownArgumentType]  parsed JSON
        case _:
            return f"{key}: {clipped(str(value), _LONG)}"
