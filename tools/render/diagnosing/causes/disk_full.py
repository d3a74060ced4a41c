"""The disk is full.

What it is
    The persistent disk of the service, the scratch space of an instance, or the database's disk has no room.

How it shows
    "No space left on device" (ENOSPC), "could not extend file", a disk at its capacity.

Next step
    Remove what is not needed, or let a person grow the disk: a disk never becomes smaller again.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import MEASURED, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried
from tools.wording import percent

WORDS = pattern(
    r"enospc",
    r"no space left on device",
    r"disk quota exceeded",
    r"could not extend file",
    r"\berrno 28\b",
    r"disk is full",
    r"database or disk is full",
)


def check(snapshot: Snapshot) -> Cause | None:
    """The words, the metric, or both."""
    used, room = snapshot.measured.disk.last, snapshot.measured.disk_capacity.last
    share = used / room if used and room else 0.0
    running = heard(snapshot, WORDS)
    started = tried(snapshot, WORDS, ("build", "pre_deploy", "update"))
    if share < 0.95 and running is None and not started:
        return None
    measured = f"disk {percent(min(1, share))} full ({used:.0f} of {room:.0f} MB)" if used and room else ""
    score = (running.score(88) if running else 88 if started else MEASURED) + (8 if share > 0.97 else 0)
    disk = snapshot.service.service_details.disk
    return Cause(
        "disk_full",
        score,
        f"The disk{f' at {disk.mount_path}' if disk else ''} is full.",
        shown([*(running.evidence if running else started)[:1], measured]),
        "Remove what is not needed (run_job or a shell), or a person grows the disk, which cannot be undone.",
        running.since if running else None,
    )


KIND = Kind(
    "disk_full",
    "The disk is full",
    check,
    __doc__ or "",
    ("process_crashes", "deploy_errors", "third_party_down"),
)
