"""A cron job takes longer than the time between its turns.

What it finds
    Cron jobs of which at least two of the latest runs took longer than the shortest time between two
    scheduled turns, or which come near the 12 hours after which Render ends a run.

Why it matters
    Render never runs a job twice at the same time: turns are put off, and the work falls behind.

Fix
    Schedule it less often, do less in one run, or move the work to a background worker with a queue.

When to ignore
    A job that looks after everything that is due whenever it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tools.errors import InvalidInput
from tools.findings import Finding, Level, Rule
from tools.render.blueprint.schedule import Schedule
from tools.render.inventory import Inventory
from tools.render.ruling import on
from tools.wording import span

_LIMIT = timedelta(hours=12)


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per job."""
    for unit in inventory.running:
        gap = _gap(unit.schedule, inventory) if unit.runs else None
        if gap is None:
            continue
        bound = min(gap, _LIMIT * 0.9)
        over = [run for run in unit.runs if run > bound]
        if len(over) >= 2:
            yield on(
                "cron_outlasts_interval",
                Level.WARN,
                unit,
                f"{unit.name} is due every {span(gap)} and takes up to {span(max(over))}.",
                evidence=f"Render's API: {len(over)} of the latest {len(unit.runs)} runs took longer than"
                f" {span(bound)}; schedule {unit.schedule}",
                fix="Schedule it less often, or do less in one run.",
                rank=47,
            )


def _gap(schedule: str, inventory: Inventory) -> timedelta | None:
    try:
        return Schedule.parse(schedule).shortest_gap(inventory.now)
    except InvalidInput:
        return None


RULE = Rule(
    name="cron_outlasts_interval",
    title="A cron job takes longer than the time between its turns",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
