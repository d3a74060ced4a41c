"""A custom domain is not verified.

What it finds
    Custom domains of running services that are unverified a day after they were added.

Why it matters
    Render issues no certificate for it: whoever calls the domain gets a TLS error or nothing, or somebody
    else's page where the DNS record points elsewhere.

Fix
    Set the DNS record that the dashboard names, then verify; or remove the domain, so that nobody can claim
    it.

When to ignore
    While a move of the domain is under way.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on

_PATIENCE = timedelta(days=1)


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per domain."""
    for unit in inventory.running:
        for domain in unit.domains:
            age = inventory.now - domain.created_at if domain.created_at else _PATIENCE
            if domain.verification_status == "unverified" and age >= _PATIENCE:
                finding = on(
                    "domain_unverified",
                    Level.WARN,
                    unit,
                    f"{domain.name} of {unit.name} is not verified: it has no certificate, so it is down.",
                    evidence=f"Render's API: {domain.name} is unverified"
                    + (f" since {domain.created_at:%Y-%m-%d}" if domain.created_at else ""),
                    fix="Set the DNS record that the dashboard names and verify it, or remove the domain.",
                    rank=42,
                )
                yield finding.model_copy(update={"object": f"domain {domain.name} of {unit.object}"})


RULE = Rule(
    name="domain_unverified",
    title="A custom domain is not verified",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
