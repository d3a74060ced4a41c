"""The production environment is not protected.

What it finds
    Environments whose name says production, with services or databases in them, that are not protected.

Why it matters
    Every developer of the workspace can delete its services and databases, suspend them and read their
    secrets. In a protected environment only admins can.

Fix
    permissions.protection: enabled (environments of render.yaml), or Settings of the environment in the
    dashboard.

When to ignore
    A workspace in which everybody is an admin anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import at_workspace

_PRODUCTION = ("prod", "production", "live")


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per environment."""
    for place in inventory.environments:
        count = len(place.service_ids) + len(place.databases_ids) + len(place.redis_ids)
        if place.name.lower() in _PRODUCTION and place.protected_status == "unprotected" and count:
            yield at_workspace(
                "environment_unprotected",
                Level.WARN,
                f"environment {place.name}",
                f"Environment {place.name} is not protected: any developer can delete what is in it.",
                evidence=f"Render's API: protectedStatus unprotected, {count} services and databases",
                fix="permissions:\n  protection: enabled",
                rank=48,
            )


RULE = Rule(
    name="environment_unprotected",
    title="The production environment is not protected",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
