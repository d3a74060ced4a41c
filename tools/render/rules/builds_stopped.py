"""Pushes are no longer built.

What it finds
    Services whose branch was deleted, whose workspace has used up its pipeline minutes (ERROR), or of which
    ten or more commits were ignored in the last month, each without a deploy since.

Why it matters
    What is merged does not run, and no failed build says so. An urgent fix cannot be deployed either while
    there are no pipeline minutes.

Fix
    Name a branch that exists; buy pipeline minutes or wait for the next month; widen the build filter or the
    root directory.

When to ignore
    A service whose files have not changed: its commits are rightly ignored.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on

_MANY = 10
_SAID = {
    "pipeline_minutes_exhausted": "the workspace has used up its pipeline minutes",
    "branch_deleted": "its branch was deleted",
}  # fmt: skip


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service, for its newest reason."""
    for unit in inventory.running:
        since = max((one.created_at for one in unit.deploys if one.created_at), default=None)
        events = [one for one in unit.skipped if one.timestamp and (since is None or one.timestamp > since)]
        grave = next((one for one in events if one.type in _SAID), None)
        ignored = [one for one in events if one.type == "commit_ignored"]
        if grave is None and (len(ignored) < _MANY or unit.trigger == "off"):
            continue
        said = _SAID[grave.type] if grave else f"its last {len(ignored)} commits were ignored"
        when = (grave or ignored[0]).timestamp
        urgent = grave is not None and grave.type == "pipeline_minutes_exhausted" and unit.production
        yield on(
            "builds_stopped",
            Level.ERROR if urgent else Level.WARN,
            unit,
            f"No push builds {unit.name} any more: {said}.",
            evidence=f"Render's API: {grave.type if grave else 'commit_ignored'}, {when:%Y-%m-%d %H:%M} UTC",
            fix="Name a branch that exists, buy pipeline minutes, or widen the build filter.",
            rank=39,
        )


RULE = Rule(
    name="builds_stopped",
    title="Pushes are no longer built",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
