"""The CPU is used up.

What it is
    The instances have more to compute than the plan allows: more requests, or dearer ones.

How it shows
    CPU near its limit for ten minutes or more, latency up with it, no autoscaling that could add instances.

Next step
    change_service scale, or a larger plan; if one release made requests dearer, roll it back.
"""

from __future__ import annotations

from datetime import timedelta

from tools.render.diagnosing.cause import MEASURED, Cause, Kind, clock, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.symptoms import busy, slow
from tools.wording import percent


def check(snapshot: Snapshot) -> Cause | None:
    """A busy spell that has not been scaled away."""
    spell = busy(snapshot)
    if spell is None:
        return None
    scaling = snapshot.service.service_details.autoscaling
    room = scaling is not None and scaling.enabled
    load = snapshot.traffic
    now, usual = load.between(spell.start, spell.end).quantile(0.5), load.usual()
    more = now / usual if usual else 1.0
    release = snapshot.released_before(spell.start, timedelta(minutes=15))
    score = MEASURED + (14 if more > 1.5 else 4) - (6 if room else 0) - (8 if release and more < 1.5 else 0)
    late = slow(snapshot)
    evidence = (
        f"CPU at {percent(min(1, spell.level))} of the limit since {clock(spell.start)}",
        f"requests at {more:.1f} times the usual" if more > 1.5 else "requests as usual" if usual else "",
        f"p95 {late.level:.0f} ms (usual {late.usual:.0f} ms)" if late else "",
    )
    return Cause(
        "cpu_saturation",
        score,
        "The CPU of its instances is used up.",
        shown(evidence),
        "change_service scale to more instances (or a larger plan); read_metrics shows what follows.",
        spell.start,
        spell.end,
    )


KIND = Kind(
    "cpu_saturation",
    "The CPU is used up",
    check,
    __doc__ or "",
    ("deploy_latency", "deploy_errors", "queue_backlog", "health_check_failing"),
)
