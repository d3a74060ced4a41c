"""A cron job has not succeeded for several of its turns.

What it finds
    Cron jobs whose last successful run is older than their last three scheduled times, with an hour for the
    run itself. Jobs that are suspended or younger than that are left out, and so are those where the API
    names no run.

Why it matters
    What it does has silently stopped: reminders, retention, backups, reports. Nobody sees a job that does not
    run.

Fix
    diagnose_service names the cause; run_job tries it again once that is mended.

When to ignore
    A job that is meant to fail until somebody acts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tools.errors import InvalidInput
from tools.findings import Finding, Level, Rule
from tools.render.blueprint.schedule import Schedule
from tools.render.inventory import Inventory
from tools.render.ruling import on
from tools.wording import ago

_TURNS = 3
_RUN = timedelta(hours=1)


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per job."""
    for unit in inventory.running:
        if unit.kind != "cron_job" or not unit.last_success or not unit.schedule:
            continue
        turns = _turns(unit.schedule, inventory.now - _RUN)
        if len(turns) == _TURNS and unit.last_success < turns[-1]:
            yield on(
                "cron_without_success",
                Level.ERROR if unit.production else Level.WARN,
                unit,
                f"{unit.name} last succeeded {ago(unit.last_success, inventory.now)}, and was due"
                f" {_TURNS} times since.",
                evidence=f"Render's API: schedule {unit.schedule}, last success"
                f" {unit.last_success:%Y-%m-%d %H:%M} UTC",
                fix=f"diagnose_service {unit.name}; then run_job once.",
                rank=25,
            )


def _turns(schedule: str, until: datetime) -> list[datetime]:
    try:
        return Schedule.parse(schedule).latest(until, _TURNS)
    except InvalidInput:
        return []


RULE = Rule(
    name="cron_without_success",
    title="A cron job has not succeeded for several of its turns",
    level=Level.ERROR,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
