"""The blueprint set back a setting that somebody had changed by hand.

What it is
    A service that a blueprint keeps gets the settings of render.yaml with every sync: a plan, an instance
    count or a variable changed in the dashboard is set back, without anybody wanting it.

How it shows
    A blueprint sync (or a deploy by blueprint_sync) right before the trouble, with a change of plan,
    instances or variables.

Next step
    Put the wanted value into render.yaml (or stop the sync), then set it again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tools.render.diagnosing.cause import COINCIDES, Cause, Kind, clock, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.symptoms import onset

SOON = timedelta(minutes=45)
CHANGES = ("plan_changed", "instance_count_changed", "autoscaling_config_changed", "disk_updated")


def check(snapshot: Snapshot) -> Cause | None:
    """A sync in the window, with a change of settings at the same time."""
    began, runs = onset(snapshot), _runs(snapshot)
    if snapshot.trial is not None and snapshot.trial.deploy.trigger == "blueprint_sync":
        began = began or snapshot.trial.deploy.created_at
    if not runs or began is None:
        return None
    close = [at for at in runs if timedelta(minutes=-5) <= began - at <= SOON]
    if not close:
        return None
    at = max(close)
    changed = [
        e
        for e in snapshot.of_type(*CHANGES)
        if e.timestamp and abs(e.timestamp - at) <= timedelta(minutes=10)
    ]
    deploys = [
        d
        for d in snapshot.deploys
        if d.trigger == "blueprint_sync" and d.created_at and abs(d.created_at - at) <= timedelta(minutes=10)
    ]
    name = snapshot.blueprint.name if snapshot.blueprint else "?"
    evidence = (
        f"blueprint {name} was synced {clock(at)}; the trouble began {clock(began)}",
        *(f"event: {e.type} {_difference(e.details)}" for e in changed[:2]),
        "deployed by the blueprint" if deploys else "",
    )
    return Cause(
        "blueprint_drift",
        COINCIDES + (48 if changed else 36 if deploys else 20),
        "A blueprint sync set settings of the service back right before the trouble.",
        shown(evidence, 4),
        "Put the wanted value into render.yaml, or the next sync undoes it again; then change_service.",
        began,
    )


def _runs(snapshot: Snapshot) -> list[datetime]:
    found = [s.completed_at or s.started_at for s in snapshot.syncs]
    found += [d.created_at for d in snapshot.deploys if d.trigger == "blueprint_sync"]
    found += [snapshot.blueprint.last_sync] if snapshot.blueprint else []
    return [at for at in found if at and at >= snapshot.since - SOON]


def _difference(details: object) -> str:
    """From what to what, where the event says so."""
    if not isinstance(details, dict):
        return ""
    known = {str(k): v for k, v in details.items() if isinstance(v, str | int)}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  JSON
    old = next((v for k, v in known.items() if k.startswith(("from", "old", "previous"))), "")
    new = next((v for k, v in known.items() if k.startswith(("to", "new", "current"))), "")
    return f"from {old} to {new}" if old != "" or new != "" else ""


KIND = Kind(
    "blueprint_drift",
    "A blueprint set settings back",
    check,
    __doc__ or "",
    (
        "out_of_memory",
        "cpu_saturation",
        "autoscaling_at_max",
        "heap_too_large",
        "settings_changed",
        "deploy_latency",
        "deploy_errors",
        "missing_env_var",
        "process_crashes",
        "queue_backlog",
        "wrong_health_path",
        "memory_leak",
    ),
)
