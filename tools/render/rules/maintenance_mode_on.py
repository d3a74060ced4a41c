"""Maintenance mode is on.

What it finds
    Web services that run in maintenance mode, and entries of render.yaml that switch it on.

Why it matters
    Nobody reaches the service: every request gets the maintenance page with status 503. It is easily left on.

Fix
    Switch it off: change_service with the action maintenance, or in the dashboard. In render.yaml set
    `maintenanceMode.enabled: false`, or the next sync switches it on again.

When to ignore
    While the maintenance lasts.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.running:
        if unit.maintenance:
            yield on(
                "maintenance_mode_on",
                Level.ERROR if unit.production else Level.WARN,
                unit,
                f"{unit.name} is in maintenance mode: whoever calls it gets a 503.",
                evidence=told(unit, inventory.file, "maintenanceMode.enabled is true", "maintenanceMode"),
                fix=f"Switch maintenance mode of {unit.name} off (change_service, action maintenance).",
                rank=15,
                field="maintenanceMode",
                file=inventory.file,
            )


RULE = Rule(
    name="maintenance_mode_on",
    title="Maintenance mode is on",
    level=Level.ERROR,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
