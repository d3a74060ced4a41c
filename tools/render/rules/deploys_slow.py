"""A deploy takes more than ten minutes.

What it finds
    Services of which the median of the latest deploys that went live, at least three, took longer than ten
    minutes from its start to its end.

Why it matters
    A fix for an outage needs as long. Long builds also use up the workspace's pipeline minutes.

Fix
    Cache dependencies, build less (a root directory, a build filter), build an image in CI and deploy that,
    or choose the performance build plan.

When to ignore
    A service that is deployed rarely and never in a hurry.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from statistics import median

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.models import LIVE
from tools.render.ruling import on
from tools.wording import span

_LONG = timedelta(minutes=10)
_LEAST = 3


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.running:
        took = [
            one.finished_at - begun
            for one in unit.deploys
            if one.status in (LIVE, "deactivated")
            and one.trigger != "rollback"
            and (begun := one.started_at or one.created_at)
            and one.finished_at
        ]
        if len(took) >= _LEAST and _middle(took) > _LONG:
            yield on(
                "deploys_slow",
                Level.INFO,
                unit,
                f"A deploy of {unit.name} takes {span(_middle(took))}: so does every urgent fix.",
                evidence=f"Render's API: the median of {len(took)} deploys; the longest {span(max(took))}",
                fix="Cache dependencies, build less, or deploy an image that CI has built.",
            )


def _middle(took: list[timedelta]) -> timedelta:
    return timedelta(seconds=median(one.total_seconds() for one in took))


RULE = Rule(
    name="deploys_slow",
    title="A deploy takes more than ten minutes",
    level=Level.INFO,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
