"""Autoscaling has reached its maximum.

What it is
    The load asks for more instances than autoscaling may start.

How it shows
    As many instances as the maximum, and CPU or memory still above the target.

Next step
    Raise the maximum with change_service autoscaling; look at first whether the load is wanted.
"""

from __future__ import annotations

from datetime import timedelta

from tools.render.diagnosing.cause import MEASURED, Cause, Kind, clock, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.wording import percent


def check(snapshot: Snapshot) -> Cause | None:
    """At the maximum for ten minutes and above the target."""
    scaling = snapshot.service.service_details.autoscaling
    if scaling is None or not scaling.enabled or scaling.max <= scaling.min:
        return None
    spell = snapshot.measured.instances.episode(
        scaling.max - 0.5, since=snapshot.since, gap=timedelta(minutes=6)
    )
    if spell is None:
        return None
    goals = (
        (scaling.criteria.cpu, snapshot.cpu_use, "CPU"),
        (scaling.criteria.memory, snapshot.memory_use, "memory"),
    )
    over = [
        (name, track.between(spell.start, spell.end).quantile(0.5), goal.percentage / 100)
        for goal, track, name in goals
        if goal.enabled and goal.percentage
    ]
    beyond = [(name, value, goal) for name, value, goal in over if value > goal * 1.05]
    if not beyond:
        return None
    name, value, goal = beyond[0]
    load = snapshot.traffic
    usual = load.usual()
    more = load.between(spell.start, spell.end).quantile(0.5) / usual if usual else 0
    evidence = (
        f"{scaling.max} instances, the maximum, since {clock(spell.start)}",
        f"{name} at {percent(min(1, value))}, target {percent(goal)}",
        f"requests at {more:.1f} times the usual" if more > 1.3 else "",
    )
    return Cause(
        "autoscaling_at_max",
        MEASURED + 19,
        "Autoscaling is at its maximum and the load asks for more.",
        shown(evidence),
        f"Look whether the load is wanted, then change_service autoscaling with a maximum above"
        f" {scaling.max}.",
        spell.start,
        spell.end,
    )


KIND = Kind(
    "autoscaling_at_max",
    "Autoscaling is at its maximum",
    check,
    __doc__ or "",
    ("cpu_saturation", "deploy_latency", "deploy_errors"),
)
