"""A service runs in another region than its database.

What it finds
    Services whose variables point at a Render Postgres, a Key Value instance or a Supabase project in another
    region. ERROR where the address is of Render's private network, which ends at the region's border: it
    cannot connect. Supabase's region comes from the pooler's address or from Supabase's API, and its nearest
    Render region counts as the same.

Why it matters
    Every query pays the way there and back: some 60 to 150 ms, ten times on a page with ten queries. Data
    also crosses borders that a contract may not allow.

Fix
    Create the service anew in the database's region (Render cannot move one), switch the domain over, delete
    the old one.

When to ignore
    A service that rarely asks the database and must stand near somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.regions import far
from tools.render.ruling import on, told


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service and database."""
    for unit in inventory.running:
        seen: set[str] = set()
        for key, value in (unit.variables or {}).items():
            for link in value.links:
                apart = far(inventory, unit, link)
                if apart is None or link.target in seen:
                    continue
                seen.add(link.target)
                cut = link.internal and link.kind != "supabase"
                way = "through the private network, which ends there" if cut else "over a long way"
                yield on(
                    "region_apart",
                    Level.ERROR if cut else Level.WARN,
                    unit,
                    f"{unit.name} is in {unit.region} and reaches {apart.name} in {apart.region} {way}.",
                    evidence=told(unit, inventory.file, f"{key} points at {apart.name}", key),
                    fix=f"Create {unit.name} anew in {apart.nearest}, beside its database.",
                    rank=25 if cut else 45,
                    field=key,
                    file=inventory.file,
                )


RULE = Rule(
    name="region_apart",
    title="A service runs in another region than its database",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
