"""Node's heap limit is larger than the plan allows.

What it is
    --max-old-space-size is only the old space of the heap; buffers, code and stacks come on top. With a limit
    near or above the plan's memory, Node does not collect garbage in time and the kernel kills it.

How it shows
    The setting is above 85 % of the memory limit, and instances are killed (oomKilled) without Node's own
    "heap out of memory".

Next step
    Set it to about 75 % of the plan's memory with change_env_var, then deploy.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import RISK, STATED, Cause, Kind, often, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.wording import percent


def check(snapshot: Snapshot) -> Cause | None:
    """The setting against the limit; a risk only, without kills."""
    heap, limit = snapshot.heap_mb, snapshot.memory_mb
    if not heap or not limit or heap < 0.85 * limit:
        return None
    killed = snapshot.failed_with("oomKilled")
    times = [e.timestamp for e in killed if e.timestamp]
    evidence = (
        f"--max-old-space-size={heap} is {percent(heap / limit)} of the limit of {limit:.0f} MB",
        f"event, {often(len(killed))}: oomKilled" if killed else "",
    )
    return Cause(
        "heap_too_large",
        STATED + 1 if killed else RISK,
        "Node's heap limit is larger than the plan's memory allows, so it is killed before it collects"
        " garbage.",
        shown(evidence),
        f"change_env_var NODE_OPTIONS to --max-old-space-size={int(limit * 0.75)}, then deploy_service.",
        min(times, default=None),
    )


KIND = Kind(
    "heap_too_large",
    "Node's heap limit is above the plan",
    check,
    __doc__ or "",
    ("out_of_memory", "process_crashes", "memory_leak"),
)
