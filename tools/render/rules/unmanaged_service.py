"""A service stands outside the blueprint.

What it finds
    Running services that no blueprint keeps, in an environment where a blueprint keeps most of the others.
    Where render.yaml was read, only those that it does not name either.

Why it matters
    What was made by hand cannot be made again: after a mistake, in another region, in another workspace.

Fix
    Add the service to render.yaml under its name: Render then takes it over as it is.

When to ignore
    A service that is not meant to last.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import listed, on


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    managed = {one.id: blueprint.name for blueprint in inventory.blueprints for one in blueprint.resources}
    for unit in inventory.running:
        if unit.id in managed or not unit.live or unit.declared:
            continue
        beside = [one for one in inventory.running if one.environment == unit.environment and one.live]
        kept = [one for one in beside if one.id in managed]
        if 2 * len(kept) > len(beside):
            names = listed({managed[one.id] for one in kept})
            yield on(
                "unmanaged_service",
                Level.INFO,
                unit,
                f"{unit.name} is in no blueprint; {names} keeps {len(kept)} of the {len(beside)} around it.",
                evidence="Render's API: not among the blueprint's resources",
                fix=f"Add {unit.name} to render.yaml under this name.",
            )


RULE = Rule(
    name="unmanaged_service",
    title="A service stands outside the blueprint",
    level=Level.INFO,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
