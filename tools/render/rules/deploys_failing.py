"""The latest deploys failed, and old code serves.

What it finds
    Services whose last three or more finished deploys failed, canceled ones aside.

Why it matters
    What was merged does not run, and each push looks as if it did. The next good deploy brings all of it at
    once.

Fix
    diagnose_service names the cause of the last one. Mend it before more is merged.

When to ignore
    A service that is being set up.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.models import FAILED
from tools.render.ruling import listed, on

_LEAST = 3


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.running:
        ended = [one for one in unit.deploys if one.is_over and one.status != "canceled"]
        failed = list(takewhile(lambda one: one.status in FAILED, ended))
        if len(failed) >= _LEAST:
            since = failed[-1].created_at
            yield on(
                "deploys_failing",
                Level.WARN,
                unit,
                f"The last {len(failed)} deploys of {unit.name} failed"
                + (f", since {since:%Y-%m-%d}." if since else "."),
                evidence=f"Render's API: {listed(f'{one.id} {one.status}' for one in failed)}",
                fix=f"diagnose_service {unit.name}",
                rank=41,
            )


RULE = Rule(
    name="deploys_failing",
    title="The latest deploys failed, and old code serves",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
