"""The region cannot run in a HIPAA-enabled workspace.

What it finds
    Services and databases in Singapore: Render's HIPAA-enabled workspaces support all regions but that one.
    Free instances, which they do not run either, are the matter of free_plan_in_production. Whether HIPAA is
    enabled, and whether a BAA was signed, is not in the API: it is named among what was not examined.

Why it matters
    Protected health information may be processed on Render only in a HIPAA-enabled workspace. What runs in
    Singapore cannot be in one.

Fix
    Create it anew in oregon, ohio, virginia or frankfurt, beside its database.

When to ignore
    A workspace without any health data of people in the United States.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service or database."""
    for thing in (*inventory.running, *inventory.stores):
        if thing.region == "singapore" and thing.production:
            yield on(
                "hipaa_region_unsupported",
                Level.WARN,
                thing,
                f"{thing.name} runs in Singapore, where Render has no HIPAA-enabled hosts.",
                evidence=told(thing, inventory.file, "region singapore", "region"),
                fix="Create it anew in oregon, ohio, virginia or frankfurt.",
                rank=49,
                field="region",
                file=inventory.file,
            )


RULE = Rule(
    name="hipaa_region_unsupported",
    title="The region cannot run in a HIPAA-enabled workspace",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
