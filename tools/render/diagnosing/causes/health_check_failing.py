"""Render takes running instances for unhealthy.

What it is
    The health check is not answered well any more: a blocked event loop, no free thread or connection, a
    check that asks a database which is down.

How it shows
    server_failed as unhealthy, without a 4xx, and none of the other causes explains it.

Next step
    See what the check does; let it ask only the process itself.
"""

from __future__ import annotations

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import COINCIDES, Cause, Kind, often, shown
from tools.render.diagnosing.evidence import Snapshot, reason_of


def check(snapshot: Snapshot) -> Cause | None:
    """Failures as unhealthy, in the window or of the latest deploy."""
    sick = snapshot.failed_with("unhealthy")
    trial = snapshot.trial
    said = str(trial.reason.get("unhealthy", "")) if trial else ""
    if not sick and not said:
        return None
    times = [e.timestamp for e in sick if e.timestamp]
    text = said or str(reason_of(sick[0])["unhealthy"])
    return Cause(
        "health_check_failing",
        COINCIDES + 7,
        "Render takes its instances for unhealthy.",
        shown([f"event{f', {often(len(sick))}' if sick else ''}: {fingerprint(text)}"]),
        "See what the health check asks for; it should only ask the process itself.",
        min(times, default=None),
    )


KIND = Kind("health_check_failing", "Render takes its instances for unhealthy", check, __doc__ or "")
