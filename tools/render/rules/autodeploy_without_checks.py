"""A push deploys to production without waiting for checks.

What it finds
    Services and cron jobs of production, built from git, that deploy on every commit. Static sites and images
    are left out.

Why it matters
    A commit goes live while its tests still run, or after they failed.

Fix
    autoDeployTrigger: checksPass waits for CI; off leaves it to deploy_service, which verifies each release.

When to ignore
    A repository without CI, whose pushes are all reviewed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told

_KINDS = ("web_service", "private_service", "background_worker", "cron_job")


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.production:
        if unit.kind in _KINDS and unit.trigger == "commit":
            branch = f" to {unit.branch}" if unit.branch else ""
            yield on(
                "autodeploy_without_checks",
                Level.WARN,
                unit,
                f"Every push{branch} deploys {unit.name}, whether its checks pass or not.",
                evidence=told(unit, inventory.file, "autoDeployTrigger commit", "autoDeployTrigger"),
                fix="autoDeployTrigger: checksPass",
                rank=52,
                field="autoDeployTrigger",
                file=inventory.file,
            )


RULE = Rule(
    name="autodeploy_without_checks",
    title="A push deploys to production without waiting for checks",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
