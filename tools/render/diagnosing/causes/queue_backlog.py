"""The queue grows faster than it is worked off.

What it is
    More jobs come in than the worker does: more work, slower jobs, or too few workers.

How it shows
    The worker's own lines name a queue that grows (size, backlog, pending, lag), without failures.

Next step
    change_service scale, or more concurrency where memory allows; find out what fills the queue.
"""

from __future__ import annotations

import re
from datetime import datetime
from statistics import median
from typing import Final

from tools.render.diagnosing.cause import MEASURED, Cause, Kind, clock, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern

GAUGE: Final = re.compile(
    r"\b(queue(?:[_ -]?(?:size|depth|length|lag))?|backlog|pending|waiting|lag|depth|size)\b[\w ]{0,20}?[=:( ]{1,3}(\d{1,9})\b", re.IGNORECASE
)
BEHIND = pattern(r"backlog", r"queue (?:is )?(?:growing|full|depth|lag)", r"falling behind", r"oldest (?:job|message)", r"waiting (?:job|message)s? (?:above|over|exceed)", r"job age")


def check(snapshot: Snapshot) -> Cause | None:
    """A gauge that has at least tripled and is above fifty, or warnings that say so."""
    grown = _growth(snapshot)
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


def _growth(snapshot: Snapshot) -> tuple[str, float, float, datetime] | None:
    """The gauge that grew most: its name, former and present value, and since when it grows."""
    series: dict[str, list[tuple[datetime, float]]] = {}
    for line in snapshot.gauges:
        for name, value in GAUGE.findall(line.raw[:2_000]):
            series.setdefault(name.lower(), []).append((line.at, float(value)))
    found: list[tuple[str, float, float, datetime]] = []
    for name, points in series.items():
        if len(points) < 4:
            continue
        quarter = max(2, len(points) // 4)
        first, last = median(v for _, v in points[:quarter]), median(v for _, v in points[-quarter:])
        if last >= 50 and last > 3 * max(1.0, first):
            begin = next(at for at, value in points if value > first + (last - first) * 0.1)
            found.append((name, first, last, begin))
    return max(found, key=lambda each: each[2] / max(1.0, each[1]), default=None)


KIND = Kind("queue_backlog", "The queue grows faster than it is worked off", check, __doc__ or "")
