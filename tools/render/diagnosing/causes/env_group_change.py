"""A change of an environment group broke it.

What it is
    A variable of a linked group was changed or removed. The group is shared: whoever changed it may have
    meant another service, and every linked one got it with its next deploy.

How it shows
    The group was changed (its updatedAt, or the audit log) shortly before the trouble began, without new
    code in between.

Next step
    Compare the group's variables with what the service expects; change_env_var on the group, then deploy.
    A rollback does not bring former values of a group back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tools.render.diagnosing.cause import COINCIDES, Cause, Kind, clock, often, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.symptoms import onset

SOON = timedelta(minutes=30)


def check(snapshot: Snapshot) -> Cause | None:
    """A linked group changed within half an hour before the trouble began, without new code."""
    began = onset(snapshot)
    changed = _changed(snapshot)
    if not changed:
        return None
    trial = snapshot.trial
    if trial is not None and trial.step == "update":
        began = trial.deploy.created_at if began is None or _same_code(snapshot) else began
    if began is None:
        return None
    close = [(at, what) for at, what in changed if timedelta(minutes=-3) <= began - at <= SOON]
    if not close:
        return None
    at, what = max(close)
    released = [
        d
        for live, d in snapshot.live
        if at - SOON <= live <= began + timedelta(minutes=3) and d.trigger == "new_commit"
    ]
    redeployed = [
        d
        for live, d in snapshot.live
        if at <= live <= began + timedelta(minutes=10) and d.trigger == "service_updated"
    ]
    words = next(
        (f"log, {often(s.count)}: {s.text}" for s in snapshot.said if s.risen and s.level != "warning"), ""
    )
    evidence = (
        f"{what} {clock(at)}",
        f"the trouble began {clock(began)}",
        "deployed for changed settings, without new code" if redeployed else "",
        words,
    )
    return Cause(
        "env_group_change",
        COINCIDES + (10 if released else 38) + (4 if redeployed else 0),
        "A change of a shared environment group came right before the trouble.",
        shown(evidence, 4),
        "describe_service shows the group's variables; correct them with change_env_var on the group,"
        " then deploy.",
        began,
    )


def _same_code(snapshot: Snapshot) -> bool:
    trial = snapshot.trial
    return trial is not None and trial.deploy.trigger in ("service_updated", "manual", "api", "other")


def _changed(snapshot: Snapshot) -> list[tuple[datetime, str]]:
    """Changes of linked groups in the window."""
    found = [
        (g.updated_at, f"environment group {g.name} was changed")
        for g in snapshot.groups
        if g.updated_at and g.updated_at >= snapshot.since - SOON
    ]
    for entry in snapshot.audit:
        about = {str(value) for value in entry.metadata.values()}
        linked = [g.name for g in snapshot.groups if about & {g.id, g.name}]
        if (
            linked
            and "env" in entry.event.lower()
            and entry.timestamp
            and entry.timestamp >= snapshot.since - SOON
        ):
            found.append((entry.timestamp, f"audit log: {entry.event} on {linked[0]}"))
    return found


KIND = Kind(
    "env_group_change",
    "A change of an environment group",
    check,
    __doc__ or "",
    (
        "missing_env_var",
        "key_value_down",
        "dns_failure",
        "expired_secret",
        "third_party_down",
        "database_down",
        "supabase_down",
        "deploy_errors",
        "process_crashes",
        "start_crash",
        "queue_backlog",
        "deploy_latency",
    ),
)
