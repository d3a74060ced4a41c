"""Regions of Render and of Supabase (which are AWS's), and which of them are near each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tools.render.inventory import Inventory, Unit
from tools.render.inventory_values import Link

_NEAREST: Final[dict[str, tuple[str, ...]]] = {
    "us-west-1": ("oregon",), "us-west-2": ("oregon",),
    "us-east-1": ("virginia", "ohio"), "us-east-2": ("ohio", "virginia"),
    "ca-central-1": ("ohio", "virginia"),
    "sa-east-1": ("virginia", "ohio"),
    "eu-central-1": ("frankfurt",), "eu-central-2": ("frankfurt",), "eu-west-1": ("frankfurt",),
    "eu-west-2": ("frankfurt",), "eu-west-3": ("frankfurt",), "eu-north-1": ("frankfurt",),
    "ap-southeast-1": ("singapore",), "ap-southeast-2": ("singapore",), "ap-south-1": ("singapore",),
    "ap-northeast-1": ("singapore",), "ap-northeast-2": ("singapore",), "ap-east-1": ("singapore",),
}  # fmt: skip
"""Render's regions for each of Supabase's, the nearest first."""


@dataclass(frozen=True, slots=True)
class Apart:
    """A database in another region than its caller."""

    name: str
    region: str
    nearest: str
    """Render's region beside it."""


def far(inventory: Inventory, unit: Unit, link: Link) -> Apart | None:
    """The database of a link where its region is known and not the service's; None otherwise."""
    if not unit.region:
        return None
    if link.kind == "supabase":
        region = link.region or inventory.supabase_regions.get(link.target, "")
        near = _NEAREST.get(region, ())
        apart = bool(near) and unit.region not in near
        return Apart(f"Supabase project {link.target}", region, near[0]) if apart else None
    store = inventory.store(link.target)
    region = store.region if store and store.region else link.region
    if not region or region == unit.region:
        return None
    return Apart(store.name if store else link.target, region, region)
