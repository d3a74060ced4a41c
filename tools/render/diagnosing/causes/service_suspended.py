"""The service, or one of your own that it calls, is suspended.

What it is
    Somebody, or Render's billing, switched it off: nothing runs and every request is answered by Render.

How it shows
    The service says so, with who did it; an event service_suspended says when. For another service: its name
    stands in the errors of this one.

Next step
    Find out why before resuming: change_service resume. With `billing` a person settles the bill first.
"""

from __future__ import annotations

import re

from tools.render.diagnosing.cause import STATED, Cause, Kind, clock, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard

KNOWN = frozenset({"admin", "billing", "user", "parent_service", "stuck_crashlooping", "unknown"})


def check(snapshot: Snapshot) -> Cause | None:
    """The present state."""
    if not snapshot.service.is_suspended:
        return _called(snapshot)
    who = ", ".join(each for each in snapshot.service.suspenders if each in KNOWN) or "unknown"
    events = snapshot.of_type(
        "service_suspended", since=snapshot.events[-1].timestamp if snapshot.events else None
    )
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


def _called(snapshot: Snapshot) -> Cause | None:
    """A suspended service whose name stands in the errors of this one."""
    for other in snapshot.siblings:
        names = [re.escape(name) for name in (other.name, other.slug) if len(name) > 2]
        if not other.is_suspended or not names:
            continue
        running = heard(snapshot, re.compile(rf"(?<![\w-])(?:{'|'.join(names)})(?![\w-])", re.IGNORECASE))
        if running is None:
            continue
        who = ", ".join(each for each in other.suspenders if each in KNOWN) or "unknown"
        return Cause(
            "service_suspended",
            STATED,
            f"{other.name}, which it calls, is suspended (by {who}).",
            shown((f"{other.name} ({other.id}) is suspended by: {who}", *running.evidence)),
            f"Ask why, then change_service resume on {other.name}.",
            running.since,
        )
    return None


KIND = Kind(
    "service_suspended",
    "The service is suspended",
    check,
    __doc__ or "",
    ("deploy_errors", "process_crashes", "third_party_down", "dns_failure", "queue_backlog"),
)
