"""A web service with a disk is down at every deploy.

What it finds
    Web services of production with a persistent disk.

Why it matters
    A disk belongs to one instance at a time: Render stops the old one before it starts the new one, so each
    deploy is an outage, and there can be no second instance.

Fix
    Keep files in object storage or in the database, and remove the disk. Until then deploy when few are
    there.

When to ignore
    A service whose users know its pauses.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.production:
        if unit.kind == "web_service" and unit.disk:
            yield on(
                "disk_stops_deploys",
                Level.WARN,
                unit,
                f"{unit.name} has a disk: every deploy stops it first, and it has one instance only.",
                evidence=told(unit, inventory.file, f"disk {unit.disk}", "disk"),
                fix="Move the files to object storage or the database, then remove the disk.",
                rank=46,
                field="disk",
                file=inventory.file,
            )


RULE = Rule(
    name="disk_stops_deploys",
    title="A web service with a disk is down at every deploy",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
