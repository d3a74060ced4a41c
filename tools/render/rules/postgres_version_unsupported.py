"""The Postgres version gets no more fixes.

What it finds
    Render Postgres databases whose major version is past the end of its support by the PostgreSQL project, or
    reaches it within 90 days (INFO).

Why it matters
    Holes that are found from then on stay open. Render upgrades such databases by itself at some point, at
    its own time.

Fix
    Try the upgrade on a recovered copy, then upgrade: Render takes the database offline for it.

When to ignore
    The upgrade is planned.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told

_SUPPORTED_UNTIL = {
    11: date(2023, 11, 9), 12: date(2024, 11, 21), 13: date(2025, 11, 13), 14: date(2026, 11, 12),
    15: date(2027, 11, 11), 16: date(2028, 11, 9), 17: date(2029, 11, 8), 18: date(2030, 11, 14),
}  # fmt: skip
_NEAR = timedelta(days=90)


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per database."""
    for store in inventory.stores:
        major = store.version.partition(".")[0]
        until = _SUPPORTED_UNTIL.get(int(major)) if major.isascii() and major.isdigit() else None
        today = inventory.now.date()
        if store.kind != "postgres" or until is None or today + _NEAR < until:
            continue
        over = today > until
        yield on(
            "postgres_version_unsupported",
            Level.WARN if over else Level.INFO,
            store,
            f"{store.name} runs PostgreSQL {major}, whose support {'ended' if over else 'ends'} on {until}.",
            evidence=told(store, inventory.file, f"version {store.version}", "postgresMajorVersion"),
            fix="Upgrade it, after a try on a recovered copy.",
            field="postgresMajorVersion",
            file=inventory.file,
        )


RULE = Rule(
    name="postgres_version_unsupported",
    title="The Postgres version gets no more fixes",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
