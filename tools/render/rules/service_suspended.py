"""A service is suspended.

What it finds
    Services that Render itself suspended (billing, crash loop, HIPAA enablement) as ERROR. Services that a
    person suspended and nobody touched for 30 days as INFO: what was forgotten.

Why it matters
    A service that Render suspended is down, and nobody decided that. A forgotten one keeps its disk (paid),
    its secrets and its domains, which somebody may still trust.

Fix
    Remove the reason, then resume it. Delete what is not needed, after its secrets were revoked elsewhere.

When to ignore
    A service that is kept for a known day. A season's service, for instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import listed, on

_FORGOTTEN = timedelta(days=30)
_REASONS = {
    "billing": "for billing", "stuck_crashlooping": "because it crashed again and again",
    "hipaa_enablement": "when HIPAA was enabled", "admin": "by its own staff",
}  # fmt: skip


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.units:
        theirs = [_REASONS[one] for one in unit.suspenders if one in _REASONS]
        if theirs:
            yield on(
                "service_suspended",
                Level.ERROR if unit.production else Level.WARN,
                unit,
                f"Render suspended {unit.name} {listed(theirs)}: it is down.",
                evidence=f"Render's API: suspenders {', '.join(unit.suspenders)}",
                fix=f"Remove the reason, then resume {unit.name} (change_service, action resume).",
                rank=15,
            )
        elif unit.suspended and unit.updated_at and inventory.now - unit.updated_at > _FORGOTTEN:
            kept = [f"disk {unit.disk}"] * bool(unit.disk) + [domain.name for domain in unit.domains]
            kept += [f"{len(unit.variables)} variables"] if unit.variables else []
            yield on(
                "service_suspended",
                Level.INFO,
                unit,
                f"{unit.name} has been suspended for {(inventory.now - unit.updated_at).days} days or more.",
                evidence=f"Render's API: suspended, last changed {unit.updated_at:%Y-%m-%d}; it keeps"
                f" {listed(kept) or 'its settings'}",
                fix=f"Resume {unit.name}, or delete it after its secrets were revoked.",
            )


RULE = Rule(
    name="service_suspended",
    title="A service is suspended",
    level=Level.ERROR,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
