"""What the Supabase project costs: add-ons at live prices, disk and branches at list prices.

The Management API gives neither invoices nor egress nor CPU and memory of the compute instance: those stay
unexamined, and no other compute size is proposed.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from tools.render.costing.prices import HOURS, Prices
from tools.render.costing.proposal import Proposal
from tools.render.costing.sizing import WORTH
from tools.render.costing.spend import Line
from tools.wording import counted

if TYPE_CHECKING:
    from tools.partial import Partial
    from tools.supabase.client import SupabaseClient
    from tools.supabase.models import Branch
    from tools.supabase.models_settings import Addons, AddonVariant, Disk, DiskUtilization

OLD_BRANCH: Final = timedelta(days=14)
_ASLEEP: Final = ("INACTIVE", "PAUSED", "PAUSING")
RIGHT_SIZED: Final = 1.2
"""What an upgrade leaves of a disk: so many times what is used."""
NOT_EXAMINED: Final = (
    "Supabase: its organization's plan and credits, egress, storage, Auth users (no endpoint; see Usage)",
    "Supabase: CPU and memory of its compute (no endpoint; see Reports > Database)",
)


@dataclass(slots=True)
class SupabaseCosts:
    """Lines, proposals, what has no price, and what else to know."""

    lines: list[Line] = field(default_factory=list[Line])
    proposals: list[Proposal] = field(default_factory=list[Proposal])
    unknown: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])


async def read(supabase: SupabaseClient, part: Partial, prices: Prices, now: datetime) -> SupabaseCosts:
    """One project, from four readings."""
    addons, disk, used, branches = await asyncio.gather(
        part("Supabase add-ons", supabase.get_addons(), None),
        part("Supabase disk", supabase.get_disk(), None),
        part("Supabase disk use", supabase.get_disk_utilization(), None),
        part("Supabase branches", supabase.list_branches(), [], optional=True),
    )
    found = SupabaseCosts()
    ref = supabase.project_ref
    if addons is not None:
        _addons(found, addons, ref)
    if disk is not None:
        _disk(found, disk, used, prices, ref)
    _branches(found, branches, prices, now)
    return found


def monthly(variant: AddonVariant) -> float | None:
    """Dollars a month of an add-on; None where the API names no amount or an unknown interval."""
    price = variant.price
    if price.amount is None:
        return None
    return {"hourly": price.amount * HOURS, "monthly": price.amount}.get(price.interval)


def _addons(found: SupabaseCosts, addons: Addons, ref: str) -> None:
    for addon in addons.selected_addons:
        month = monthly(addon.variant)
        name = addon.variant.name or addon.variant.id
        if month is None:
            found.unknown.append(f"Supabase {addon.type} {name}")
        found.lines.append(Line(name=_title(addon.type), id=ref, kind="supabase", plan=name, month=month))
        if addon.type == "compute_instance" and month:
            found.notes += filter(None, [_smaller(addons, month)])
    if not any(addon.type == "compute_instance" for addon in addons.selected_addons):
        found.unknown.append("Supabase compute (no add-on is selected: the plan's own size)")


def _title(kind: str) -> str:
    return "Supabase compute" if kind == "compute_instance" else f"Supabase {kind}"


def _smaller(addons: Addons, month: float) -> str:
    """What the next smaller compute costs; whether it would do, the API cannot tell."""
    sizes = [
        (price, variant.name)
        for addon in addons.available_addons
        if addon.type == "compute_instance"
        for variant in addon.variants
        if (price := monthly(variant)) is not None and price < month
    ]
    if not sizes:
        return ""
    price, name = max(sizes)
    return (
        f"Supabase compute: {name} would cost ${month - price:,.0f} less. Whether it would do was not"
        " examined: first look at CPU, memory and connections in Reports > Database; the change restarts it"
    )


def _disk(found: SupabaseCosts, disk: Disk, used: DiskUtilization | None, prices: Prices, ref: str) -> None:
    attributes = disk.attributes
    if attributes.size_gb is None or attributes.type not in ("gp3", "io2"):
        found.unknown.append(f"Supabase disk of the kind {attributes.type or 'unknown'}")
        return
    size, rate = attributes.size_gb, disk_rate(attributes.type, prices)
    included = prices.included("supabase_disk_gb") if attributes.type == "gp3" else 0.0
    month = max(0.0, size - included) * rate + _speed(disk, prices)
    full = used.metrics.fs_used_bytes if used else None
    found.lines.append(
        Line(
            name="Supabase disk",
            id=ref,
            kind="supabase",
            plan=f"{attributes.type} {size} GB, {attributes.iops or '?'} IOPS",
            month=month,
            use="" if full is None else f"disk {full / (size * 1e9):.0%}",
        )
    )
    if full is None:
        return
    least = max(included, math.ceil(full / 1e9 * RIGHT_SIZED))
    saves = (size - least) * rate
    if saves >= WORTH:
        found.proposals.append(
            Proposal(
                resource="Supabase disk",
                id=ref,
                change=f"disk {size} → about {least:.0f} GB",
                saves=round(saves, 2),
                confidence="low",
                because="it is worth it only with an upgrade that is due anyway",
                risk="high: the project is down during the upgrade; the disk grows again when it fills",
                evidence=f"{full / 1e9:.1f} GB used",
                do="a person upgrades Postgres in Supabase's dashboard, which makes the disk anew (it never"
                " shrinks otherwise)",
                undo="grow the disk again",
            )
        )


def disk_rate(kind: str, prices: Prices) -> float:
    """Dollars a month of a GB."""
    return prices.rate("supabase_io2_gb" if kind == "io2" else "supabase_disk_gb")


def _speed(disk: Disk, prices: Prices) -> float:
    """What IOPS and throughput beyond the included cost."""
    iops, throughput = disk.attributes.iops or 0, disk.attributes.throughput_mibps or 0
    if disk.attributes.type == "io2":
        return iops * prices.rate("supabase_io2_iops")
    extra = max(0.0, iops - prices.included("supabase_iops")) * prices.rate("supabase_iops")
    faster = max(0.0, throughput - prices.included("supabase_mbps")) * prices.rate("supabase_mbps")
    return extra + faster


def _branches(found: SupabaseCosts, branches: list[Branch], prices: Prices, now: datetime) -> None:
    each = prices.rate("supabase_branch_hour") * HOURS
    kept = [
        branch
        for branch in branches
        if not branch.is_default and branch.preview_project_status not in _ASLEEP
    ]
    if kept:
        found.lines.append(
            Line(
                name="Supabase branches",
                id="",
                kind="supabase",
                plan=counted(len(kept), "branch", "branches") + " (micro compute each)",
                month=each * len(kept),
            )
        )
    for branch in kept:
        changed = branch.updated_at or branch.created_at
        if branch.persistent or changed is None or now - changed < OLD_BRANCH:
            continue
        found.proposals.append(
            Proposal(
                resource=f"branch {branch.name}",
                id=branch.id,
                change="delete: old preview branch",
                saves=round(each, 2),
                confidence="medium",
                because="whether its pull request is still open was not looked at",
                risk="medium: the branch's data are lost"
                + (", copied data among them" if branch.with_data else ""),
                evidence=f"unchanged since {(now - changed).days} days",
                do="a person deletes it in Supabase's dashboard (no tool deletes)",
                undo="create the branch again from its migrations; data typed into it are gone",
            )
        )
