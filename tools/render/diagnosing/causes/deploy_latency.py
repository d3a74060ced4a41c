"""A release made it slow.

What it is
    The code that went live needs longer for its requests: a query in a loop, a call in the way, more to
    compute.

How it shows
    Latency rises when a deploy goes live, with the same load, and no better cause explains it.

Next step
    rollback_service to the release before, then look where the time goes.
"""

from __future__ import annotations

from datetime import timedelta

from tools.render.diagnosing.cause import MEASURED, Cause, Kind, clock, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.symptoms import slow


def check(snapshot: Snapshot) -> Cause | None:
    """Slowness that begins with a release, at the usual load."""
    late = slow(snapshot)
    release = snapshot.released_before(late.start, timedelta(minutes=15)) if late else None
    if late is None or release is None:
        return None
    at, deploy = release
    load, usual = snapshot.traffic.between(late.start, late.end).quantile(0.5), snapshot.traffic.usual()
    more = load / usual if usual else 1.0
    return Cause(
        "deploy_latency",
        MEASURED + (8 if more < 2 else -15),
        f"Requests are slow since the release of {clock(at)}.",
        shown([
            f"p95 {late.level:.0f} ms since {clock(late.start)} (usual {late.usual:.0f} ms)",
            f"deploy {deploy.id} went live {clock(at)}",
            f"requests at {more:.1f} times the usual" if usual else "",
        ]),
        "rollback_service to the release before (automatic deploys off first), then look where the time"
        " goes.",
        late.start,
        late.end,
    )  # fmt: skip


KIND = Kind("deploy_latency", "A release made it slow", check, __doc__ or "")
