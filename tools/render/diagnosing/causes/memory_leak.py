"""Memory grows steadily from each start on.

What it is
    The process keeps what it should let go: memory rises for hours whatever the load, until the instance is
    killed or restarted, and starts again from below.

How it shows
    One instance's memory rises in a line over at least ninety minutes and by at least an eighth of the limit.

Next step
    Roll back the release that brought it if there is one; until it is mended, restart before the limit.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import correlation, fmean

from tools.render.diagnosing.cause import MEASURED, Cause, Kind, clock, often, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.tracks import Track

LONG = timedelta(minutes=90)


def check(snapshot: Snapshot) -> Cause | None:
    """The steepest steady growth of one instance that reaches into the window."""
    limit = snapshot.memory_mb
    if not limit:
        return None
    grown = [found for track in snapshot.measured.memory for found in _rises(track, snapshot, limit)]
    lately = [each for each in grown if each[3] >= snapshot.since]
    if not lately:
        return None
    start, rise, slope, _ = max(lately, key=lambda each: each[1])
    first = min(grown)[0]
    killed = len(snapshot.failed_with("oomKilled"))
    last = snapshot.memory_use.last or 0
    hours = (limit * (1 - last)) / slope if slope > 0 else 0
    soon = f"at this rate the limit is reached in about {hours:.0f} h" if not killed and hours < 48 else ""
    evidence = (
        f"memory of an instance grew by {rise:.0f} MB from {clock(start)} on ({slope:.0f} MB/h)",
        f"event, {often(killed)}: oomKilled" if killed else "",
        soon,
    )
    return Cause(
        "memory_leak",
        MEASURED + (26 if killed or last > 0.85 else 14 if rise > limit / 5 else 5),
        "Memory grows steadily from each start on, whatever the load.",
        shown(evidence),
        "rollback_service if a release brought it; until it is mended, change_service restart before"
        " the limit.",
        first,
    )


def _rises(track: Track, snapshot: Snapshot, limit: float) -> list[tuple[datetime, float, float, datetime]]:
    """The steady rises of one instance between its restarts: start, MB, MB an hour, end."""
    found: list[tuple[datetime, float, float, datetime]] = []
    for part in _lives(track):
        if part.points[-1][0] - part.points[0][0] < LONG:
            continue
        start = part.points[0][0]
        hours = [(at - start).total_seconds() / 3600 for at, _ in part.points]
        values = part.values
        if max(values) == min(values):
            continue
        steady = correlation(hours, values)
        mean = fmean(hours)
        slope = sum((h - mean) * v for h, v in zip(hours, values, strict=True)) / sum(
            (h - mean) ** 2 for h in hours
        )
        rise = slope * hours[-1]
        if steady > 0.93 and rise > limit / 8 and not _follows_traffic(part, snapshot):
            found.append((start, rise, slope, part.points[-1][0]))
    return found


def _lives(track: Track) -> list[Track]:
    """The track cut where memory falls at once: a restart."""
    lives: list[list[tuple[datetime, float]]] = [[]]
    for point in track.points:
        before = lives[-1][-1][1] if lives[-1] else None
        if before is not None and point[1] < before * 0.75:
            lives.append([])
        lives[-1].append(point)
    return [Track(tuple(each)) for each in lives if len(each) > 5]


def _follows_traffic(part: Track, snapshot: Snapshot) -> bool:
    """Whether the requests rose too, and memory goes with them more than with time."""
    load = dict(snapshot.traffic.points)
    pairs = [(value, load[at]) for at, value in part.points if at in load]
    if len(pairs) < 10:
        return False
    memory, requests = [p[0] for p in pairs], [p[1] for p in pairs]
    if max(requests) == min(requests):
        return False
    third = len(pairs) // 3
    grew = fmean(requests[-third:]) > 1.5 * max(1.0, fmean(requests[:third]))
    return grew and correlation(memory, requests) > correlation(range(len(memory)), memory)


KIND = Kind(
    "memory_leak",
    "Memory grows steadily",
    check,
    __doc__ or "",
    ("out_of_memory", "process_crashes", "heap_too_small", "deploy_errors", "deploy_latency"),
)
