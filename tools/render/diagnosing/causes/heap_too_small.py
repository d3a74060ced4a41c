"""Node runs out of heap while the plan has memory left.

What it is
    The heap limit (set, or Node's default) is far below the memory of the plan, so V8 gives up early.

How it shows
    "JavaScript heap out of memory" or "Reached heap limit" in the log, exit code 134, and memory well below
    the plan's limit.

Next step
    Set --max-old-space-size to about 75 % of the plan's memory with change_env_var, then deploy.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import STATED, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried
from tools.wording import percent

WORDS = pattern(r"javascript heap out of memory", r"reached heap limit", r"ineffective mark-compacts")


def check(snapshot: Snapshot) -> Cause | None:
    """In the running service or in the start of a deploy."""
    started = tried(snapshot, WORDS, ("update", "pre_deploy"))
    running = heard(snapshot, WORDS)
    words = [line.raw for _, lines in snapshot.last_words for line in lines if WORDS.search(line.raw)]
    if not started and running is None and not words:
        return None
    heap, limit = snapshot.heap_mb, snapshot.memory_mb
    peak = snapshot.memory_use.between(snapshot.since).quantile(0.99)
    room = (heap and limit and heap < 0.6 * limit) or (not heap and 0 < peak < 0.8)
    flag = (
        f"--max-old-space-size={heap}, plan {limit:.0f} MB"
        if heap and limit
        else "no --max-old-space-size is set"
    )
    used = f"memory reached {percent(min(1.0, peak))} of the limit" if peak else ""
    said = started or (running.evidence[:1] if running else ("last words: JavaScript heap out of memory",))
    target = int(limit * 0.75) if limit else "75 % of the plan's memory"
    return Cause(
        "heap_too_small",
        STATED + 1 if room else 72,
        "Node runs out of its heap limit" + (" although the plan has memory left." if room else "."),
        shown([*said[:1], flag, used]),
        f"change_env_var NODE_OPTIONS to --max-old-space-size={target}, then deploy_service.",
        running.since if running else None,
    )


KIND = Kind(
    "heap_too_small",
    "Node's heap limit is far below the plan",
    check,
    __doc__ or "",
    ("process_crashes", "out_of_memory", "start_crash", "deploy_errors"),
)
