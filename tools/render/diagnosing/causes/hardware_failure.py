"""Render's machine failed, or the instance had to leave it.

What it is
    The hardware under an instance failed, or Render moved the instance (eviction): not the service's doing.

How it shows
    server_hardware_failure, or server_failed with evicted.

Next step
    Nothing, if a new instance is up. With one instance every such move is an outage: run two or more.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import STATED, Cause, Kind, clock, often, shown
from tools.render.diagnosing.evidence import Snapshot, reason_of


def check(snapshot: Snapshot) -> Cause | None:
    """Events in the window; it counts less where instances fail for other reasons far more often."""
    hard = snapshot.of_type("server_hardware_failure")
    moved = [e for e in snapshot.of_type("server_failed") if reason_of(e).get("evicted")]
    if not hard and not moved:
        return None
    others = [e for e in snapshot.failures if e not in hard and e not in moved]
    latest = max(e.timestamp for e in [*hard, *moved] if e.timestamp)
    back = [e for e in snapshot.of_type("server_available") if e.timestamp and e.timestamp >= latest]
    count = snapshot.service.service_details.num_instances
    evidence = (
        f"event: server_hardware_failure {clock(hard[0].timestamp)}" if hard else "",
        f"event, {often(len(moved))}: evicted from its machine" if moved else "",
        f"event: server_available {clock(back[-1].timestamp)}" if back else "",
        "it runs one instance" if count == 1 else "",
    )
    return Cause(
        "hardware_failure",
        STATED if len(others) <= 1 else 60,
        "Render's machine failed under an instance, or the instance was moved.",
        shown(evidence, 4),
        "Nothing if it is up again; else change_service restart. Two instances outlive such a failure.",
        min(e.timestamp for e in [*hard, *moved] if e.timestamp),
        latest,
    )


KIND = Kind(
    "hardware_failure",
    "Render's machine failed",
    check,
    __doc__ or "",
    ("deploy_errors", "process_crashes", "health_check_failing"),
)
