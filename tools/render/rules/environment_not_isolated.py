"""Staging can reach production through the private network.

What it finds
    Environments whose name says production, without network isolation, while another environment has services
    in the same region. Services of one region share a private network unless an environment is isolated.

Why it matters
    A test service, often less well kept, connects to production's databases and private services: with a
    copied address it writes into patients' records.

Fix
    networking.isolation: enabled for production (environments of render.yaml, or the environment's settings).

When to ignore
    The other environment must reach production, and holds the same trust.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import at_workspace, listed

_PRODUCTION = ("prod", "production", "live")


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per environment."""
    for place in inventory.environments:
        if place.name.lower() not in _PRODUCTION or place.network_isolation_enabled is not False:
            continue
        things = (*inventory.units, *inventory.stores)
        regions = {one.region for one in things if one.environment == place.name and one.region}
        others = {
            one.environment
            for one in inventory.units
            if one.environment
            and one.environment != place.name
            and one.region in regions
            and one.kind != "static_site"
        }
        if others:
            yield at_workspace(
                "environment_not_isolated",
                Level.WARN,
                f"environment {place.name}",
                f"Services of {listed(sorted(others))} reach those of {place.name} through the"
                " private network.",
                evidence=f"Render's API: networkIsolationEnabled false; both in {listed(sorted(regions))}",
                fix="networking:\n  isolation: enabled",
                rank=48,
            )


RULE = Rule(
    name="environment_not_isolated",
    title="Staging can reach production through the private network",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
