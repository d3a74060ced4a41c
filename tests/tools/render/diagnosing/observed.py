"""Snapshots made by hand, for tests of single causes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.evidence import Line, Said, Snapshot, Trial
from tools.render.diagnosing.tracks import Track
from tools.render.models import Deploy, Service
from tools.render.models_observed import Event

NOW = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


def ago(minutes: float) -> datetime:
    """So many minutes before now."""
    return NOW - timedelta(minutes=minutes)


def service(kind: str = "web_service", **details: Any) -> Service:
    """A service as the API gives it."""
    return Service.model_validate(
        {
            "id": "srv-api",
            "name": "api",
            "type": kind,
            "ownerId": "tea-1",
            "suspended": "not_suspended",
            "serviceDetails": {"region": "oregon", "plan": "1c-2g", **details},
        }
    )


def snapshot(**parts: Any) -> Snapshot:
    """A quiet service, except for what is given."""
    given: dict[str, Any] = {"now": NOW, "since": ago(360), "service": service()} | parts
    return Snapshot(**given)


def said(raw: str, count: int = 40, level: str = "error", minutes: float = 30) -> Said:
    """Lines that are new."""
    hours = 6
    return Said(fingerprint(raw), raw, level, count, ago(minutes), ago(1), count / hours, 0.0)


def saying(*raws: str, level: str = "error", **parts: Any) -> Snapshot:
    """A service whose log has these lines, all new."""
    return snapshot(said=tuple(said(raw, level=level) for raw in raws), **parts)


def failed_deploy(status: str, lines: Sequence[str], **reason: Any) -> Snapshot:
    """A service whose latest deploy failed, with what it wrote and the reason given."""
    deploy = Deploy.model_validate(
        {"id": "dep-1", "status": status, "createdAt": ago(30), "finishedAt": ago(20)}
    )
    step = {"build_failed": "build", "pre_deploy_failed": "pre_deploy"}.get(status, "update")
    written = tuple(Line(ago(21), raw) for raw in lines)
    return snapshot(deploys=(deploy,), trial=Trial(deploy, step, reason, written))


def event(kind: str, minutes: float, **details: Any) -> Event:
    """An event of the service."""
    return Event.model_validate(
        {"id": f"evt-{minutes}", "type": kind, "timestamp": ago(minutes), "details": details}
    )


def track(values: Sequence[float], step: float = 2, label: str = "") -> Track:
    """Values up to now, so many minutes apart."""
    first = len(values) - 1
    return Track(tuple((ago((first - i) * step), float(v)) for i, v in enumerate(values)), label)
