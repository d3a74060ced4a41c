"""A web service has no health check path.

What it finds
    Web services of production without a health check path. Free instances are left out.

Why it matters
    Render then only looks whether the port is open. A release that answers every request with an error goes
    live, and an instance that hangs is not replaced.

Fix
    Add a path that answers 2xx only when the service can work (its database included), within five seconds,
    and name it in healthCheckPath.

When to ignore
    A service that may serve errors for a while.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.production:
        if unit.kind == "web_service" and unit.health_check_path == "" and unit.plan != "free":
            yield on(
                "health_check_missing",
                Level.WARN,
                unit,
                f"{unit.name} has no health check path: a release that cannot work goes live all the same.",
                evidence=told(unit, inventory.file, "healthCheckPath is empty", "healthCheckPath"),
                fix="healthCheckPath: /health",
                rank=41,
                field="healthCheckPath",
                file=inventory.file,
            )


RULE = Rule(
    name="health_check_missing",
    title="A web service has no health check path",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
