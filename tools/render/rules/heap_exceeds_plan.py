"""The heap may grow beyond the memory of the plan.

What it finds
    --max-old-space-size or -Xmx in the start command or in NODE_OPTIONS, JAVA_OPTS and the like, times the
    number of processes (WEB_CONCURRENCY, --workers), against the memory of the plan. ERROR at or above it,
    WARN above 85 % of it. Nothing is concluded for a plan that is not known.

Why it matters
    The runtime collects its garbage when the heap is nearly full. If the plan's memory ends first, the kernel
    kills the process instead: requests break, jobs run twice.

Fix
    Set the heap to about three quarters of the plan's memory, for all processes together, or choose a larger
    plan.

When to ignore
    Never at or above the plan's memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory, Unit
from tools.render.inventory_values import Value
from tools.render.plans import HEAP_SHARE, heap_flag, plan_megabytes
from tools.render.ruling import on, told

_WORKERS = re.compile(r"(?:--workers|-w)[= ](\d{1,3})\b")


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.running:
        memory, (flag, heap) = plan_megabytes(unit.plan), heap_flag(unit.commands)
        if not memory or not heap:
            continue
        processes = _processes(unit)
        total = heap * processes
        if total > HEAP_SHARE * memory:
            several = f" in each of {processes} processes" if processes > 1 else ""
            yield on(
                "heap_exceeds_plan",
                Level.ERROR if total >= memory else Level.WARN,
                unit,
                f"{unit.name} may use {heap} MB of heap{several}, and its plan {unit.plan} has {memory} MB.",
                evidence=told(
                    unit, inventory.file, f"{flag} {heap}{several}; plan {unit.plan}", "startCommand"
                ),
                fix=f"{flag} {int(memory * 0.75 / processes)}, or a plan with more memory.",
                rank=25,
                field="startCommand",
                file=inventory.file,
            )


def _processes(unit: Unit) -> int:
    found = _WORKERS.search(unit.commands)
    said = found[1] if found else (unit.variables or {}).get("WEB_CONCURRENCY", Value()).setting
    return max(1, int(said)) if said.isascii() and said.isdigit() and len(said) < 4 else 1


RULE = Rule(
    name="heap_exceeds_plan",
    title="The heap may grow beyond the memory of the plan",
    level=Level.ERROR,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
