"""A changed plan or instance count left it too small.

What it is
    Somebody chose a smaller plan or fewer instances, or changed the limits of autoscaling.

How it shows
    plan_changed or instance_count_changed right before the trouble began.

Next step
    change_service back to what it was, and look at the peak before making it smaller again.
"""

from __future__ import annotations

from datetime import timedelta

from tools.render.diagnosing.cause import COINCIDES, Cause, Kind, clock, shown
from tools.render.diagnosing.causes.blueprint_drift import CHANGES, SOON
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.symptoms import onset


def check(snapshot: Snapshot) -> Cause | None:
    """A change of size within three quarters of an hour before the trouble."""
    began = onset(snapshot)
    if began is None:
        return None
    close = [
        e for e in snapshot.of_type(*CHANGES)
        if e.timestamp and timedelta(minutes=-5) <= began - e.timestamp <= SOON
    ]  # fmt: skip
    if not close:
        return None
    return Cause(
        "settings_changed",
        COINCIDES + 32,
        "A change of its plan or instances came right before the trouble.",
        shown(
            [
                *(f"event: {e.type} {clock(e.timestamp)}" for e in close[:2]),
                f"the trouble began {clock(began)}",
            ]
        ),
        "change_service back to the former size; read_metrics shows what the peak needs.",
        began,
    )


KIND = Kind(
    "settings_changed",
    "A changed plan or instance count",
    check,
    __doc__ or "",
    ("cpu_saturation", "out_of_memory", "deploy_latency", "deploy_errors", "queue_backlog"),
)
