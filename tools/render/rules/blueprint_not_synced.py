"""A blueprint is not in step with its render.yaml.

What it finds
    Blueprints whose status is error or paused.

Why it matters
    Changes to render.yaml have no effect, and nobody is told: the file says what does not run.

Fix
    Read the last sync in the dashboard, correct the file, and sync again.

When to ignore
    A blueprint that is paused on purpose, during a change by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import at_workspace


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per blueprint."""
    for blueprint in inventory.blueprints:
        if blueprint.status in ("error", "paused"):
            failed = blueprint.status == "error"
            last = f", last synced {blueprint.last_sync:%Y-%m-%d}" if blueprint.last_sync else ""
            yield at_workspace(
                "blueprint_not_synced",
                Level.WARN,
                f"blueprint {blueprint.name}",
                f"Blueprint {blueprint.name} {'failed to sync' if failed else 'is paused'}:"
                f" what {blueprint.path or 'render.yaml'} says takes no effect.",
                evidence=f"Render's API: status {blueprint.status}{last}",
                fix="Correct the file and sync it again." if failed else "Switch the sync on again.",
                rank=43,
            )


RULE = Rule(
    name="blueprint_not_synced",
    title="A blueprint is not in step with its render.yaml",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
