"""A process is killed before its longest job can end.

What it finds
    Services whose variables or start command name a time limit (JOB_TIMEOUT, TASK_TIME_LIMIT,
    GRACEFUL_TIMEOUT, gunicorn's --graceful-timeout ...) that is longer than maxShutdownDelaySeconds. Where
    nothing names one, nothing is concluded.

Why it matters
    At every deploy and every time it scales down Render sends SIGTERM, waits maxShutdownDelaySeconds (30 by
    default) and then kills: the job is cut off and begins anew, or is lost.

Fix
    Set maxShutdownDelaySeconds to that limit (300 at most), stop taking jobs at SIGTERM, and make longer jobs
    resumable.

When to ignore
    Jobs that may be cut off at any time because they go on where they stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told
from tools.wording import span

_LONGEST = 300
_KINDS = ("web_service", "private_service", "background_worker")
_GRACEFUL = re.compile(r"--graceful-timeout[= ](\d{1,6})\b")


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.production:
        if unit.kind not in _KINDS or not unit.shutdown_delay:
            continue
        limits = {key: value.seconds for key, value in (unit.variables or {}).items() if value.seconds}
        if found := _GRACEFUL.search(unit.commands):
            limits["--graceful-timeout"] = float(found[1])
        name, longest = max(limits.items(), key=lambda item: item[1], default=("", 0.0))
        if longest > unit.shutdown_delay:
            wanted = min(_LONGEST, ceil(longest))
            short = "" if longest <= _LONGEST else "; longer jobs must go on where they stopped"
            if unit.shutdown_delay >= wanted:
                continue
            yield on(
                "shutdown_before_jobs_end",
                Level.WARN,
                unit,
                f"{unit.name} gives a job {span(longest)} and is killed {span(unit.shutdown_delay)} after a"
                " deploy asked it to stop.",
                evidence=told(
                    unit,
                    inventory.file,
                    f"{name} {longest:g} s; maxShutdownDelaySeconds {unit.shutdown_delay}",
                    name,
                ),
                fix=f"maxShutdownDelaySeconds: {wanted}{short}",
                rank=45,
                field=name,
                file=inventory.file,
            )


RULE = Rule(
    name="shutdown_before_jobs_end",
    title="A process is killed before its longest job can end",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
