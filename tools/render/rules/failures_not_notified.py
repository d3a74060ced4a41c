"""Nobody is told when a service of production fails.

What it finds
    Services of production whose notifyOnFail is ignore, or whose workspace sends no notifications and which
    do not ask for their own.

Why it matters
    A failed deploy or a crash is found by a patient. Until then the old code runs, or none.

Fix
    Set notifications to failures, for the workspace or for the service.

When to ignore
    Something else watches the service and tells somebody.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import at_workspace, on


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service, or one for the workspace."""
    silent = [owner for owner, sends in inventory.notifications.items() if sends == "none"]
    for owner in silent:
        yield at_workspace(
            "failures_not_notified",
            Level.WARN,
            f"workspace {owner}",
            "The workspace sends no notifications: nobody is told of failed deploys and crashes.",
            evidence="Render's API: notificationsToSend none",
            fix="Workspace Settings > Notifications: failures.",
            rank=50,
        )
    for unit in inventory.production:
        if unit.notify == "ignore":
            yield on(
                "failures_not_notified",
                Level.WARN,
                unit,
                f"Nobody is told when {unit.name} fails.",
                evidence="Render's API: notifyOnFail ignore",
                fix="Set its notifications to default or to failures.",
                rank=50,
            )


RULE = Rule(
    name="failures_not_notified",
    title="Nobody is told when a service of production fails",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
