"""The queue grows faster than it is worked off.

What it is
    More jobs come in than the worker does: more work, slower jobs, or too few workers.

How it shows
    The worker's own lines name a queue that grows (size, backlog, pending, lag), without failures.

Next step
    change_service scale, or more concurrency where memory allows; find out what fills the queue.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import MEASURED, Cause, Kind, clock, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.queues import growth
from tools.render.diagnosing.spoken import heard, pattern

BEHIND = pattern(
    r"backlog",
    r"queue (?:is )?(?:growing|full|depth|lag)",
    r"falling behind",
    r"oldest (?:job|message)",
    r"waiting (?:job|message)s? (?:above|over|exceed)",
    r"job age",
)


def check(snapshot: Snapshot) -> Cause | None:
    """A gauge that has at least tripled and is above fifty, or warnings that say so."""
    grown = growth(snapshot.gauges)
    said = heard(snapshot, BEHIND)
    if grown is None and said is None:
        return None
    evidence: list[str] = []
    if grown:
        name, first, last, since = grown
        evidence.append(f"log: {name} went from {first:.0f} to {last:.0f} since {clock(since)}")
    if said:
        evidence += said.evidence[:1]
    cpu = snapshot.cpu_use.last
    evidence.append(f"CPU at {cpu:.0%} of the limit" if cpu is not None else "")
    score = MEASURED + (14 if grown else 0) + (said.share * 10 if said else 0)
    return Cause(
        "queue_backlog",
        score - (12 if snapshot.failures else 0),
        "Its queue grows faster than it is worked off.",
        shown(evidence),
        "change_service scale (or more concurrency where memory allows); find out what fills the queue.",
        grown[3] if grown else said.since if said else None,
    )


KIND = Kind("queue_backlog", "The queue grows faster than it is worked off", check, __doc__ or "")
