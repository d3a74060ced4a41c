"""What a change costs a month, from the price table; what is not known stays unsaid."""

from __future__ import annotations

from typing import Final

from tools.render.costing.prices import Kind, prices, size_of
from tools.render.naming import Kind as ResourceKind

_KINDS: Final[dict[ResourceKind, Kind]] = {
    "service": "service", "postgres": "postgres", "key_value": "key_value",
}  # fmt: skip


def plan_id(kind: ResourceKind, plan: str) -> str:
    """The name that Render answers with; plans had others before August 2026, which it still takes."""
    return prices().plan_id(_KINDS[kind], plan) if kind in _KINDS else plan


def monthly(kind: ResourceKind, plan: str) -> float | None:
    """US dollars a month of one instance; None where the price is not known."""
    price = prices().plan(_KINDS[kind], plan) if kind in _KINDS and plan else None
    return price.month if price else None


def memory(kind: ResourceKind, plan: str) -> float | None:
    """Bytes of memory of one instance; None where the plan's name does not say."""
    size = size_of(plan_id(kind, plan))
    return size.memory if size else None


def cost_words(before: float | None, after: float | None) -> str:
    """`Cost a month: $170 before, $255 after (compute, list prices of 2026-10-02).`"""
    if before is None or after is None:
        return "Cost: not known."
    return (
        f"Cost a month: ${before:,.0f} before, ${after:,.0f} after (compute, list prices of {prices().read})."
    )
