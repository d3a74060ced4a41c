"""Maintenance mode is on.

What it is
    Render answers every request with a maintenance page (503); the service itself may be well.

How it shows
    The service's settings, and an event maintenance_mode_enabled.

Next step
    change_service maintenance off, once nobody works on it any more.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import STATED, Cause, Kind, clock, shown
from tools.render.diagnosing.evidence import Snapshot


def check(snapshot: Snapshot) -> Cause | None:
    """The present setting."""
    if not snapshot.service.service_details.maintenance_mode.get("enabled"):
        return None
    events = [e for e in snapshot.events if e.type.startswith("maintenance_mode")]
    at = events[0].timestamp if events else None
    return Cause(
        "maintenance_mode",
        STATED + 3,
        "Maintenance mode is on: every request gets the maintenance page.",
        shown(("setting: maintenanceMode.enabled", f"event: {events[0].type} {clock(at)}" if events else "")),
        "Ask who works on it, then change_service maintenance off.",
        at,
    )


KIND = Kind("maintenance_mode", "Maintenance mode is on", check, __doc__ or "", ("deploy_errors",))
