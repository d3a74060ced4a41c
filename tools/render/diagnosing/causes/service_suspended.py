"""The service is suspended.

What it is
    Somebody, or Render's billing, switched it off: nothing runs and every request is answered by Render.

How it shows
    The service says so, with who did it; an event service_suspended says when.

Next step
    Find out why before resuming: change_service resume. With `billing` a person settles the bill first.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import STATED, Cause, Kind, clock, shown
from tools.render.diagnosing.evidence import Snapshot

KNOWN = frozenset({"admin", "billing", "user", "parent_service", "stuck_crashlooping", "unknown"})


def check(snapshot: Snapshot) -> Cause | None:
    """The present state."""
    if not snapshot.service.is_suspended:
        return None
    who = ", ".join(each for each in snapshot.service.suspenders if each in KNOWN) or "unknown"
    events = snapshot.of_type("service_suspended", since=snapshot.events[-1].timestamp if snapshot.events else None)
    at = events[0].timestamp if events else None
    billing = "billing" in snapshot.service.suspenders
    return Cause(
        "service_suspended",
        STATED + 4,
        f"The service is suspended (by {who}).",
        shown((f"suspended by: {who}", f"event: service_suspended {clock(at)}" if at else "")),
        "A person settles the bill in the dashboard." if billing else "Ask why, then change_service resume.",
        at,
    )


KIND = Kind("service_suspended", "The service is suspended", check, __doc__ or "", ("deploy_errors", "process_crashes"))
