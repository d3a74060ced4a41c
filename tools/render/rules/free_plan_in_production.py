"""Production stands on a free plan.

What it finds
    Services, Postgres databases and Key Value instances of the plan `free` that no name or environment calls
    staging, test or the like. ERROR for Postgres, WARN for the rest; static sites have no plan.

Why it matters
    A free web service sleeps after 15 minutes and wakes within a minute; a free Postgres is deleted 30 days
    after its creation; a free Key Value loses all at a restart. A HIPAA-enabled workspace cannot run free
    instances at all.

Fix
    Choose a paid plan: change_service with the action change_plan, and `plan:` in render.yaml.

When to ignore
    A toy, or a service that may sleep.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service or database."""
    for unit in inventory.production:
        if unit.plan == "free" and unit.kind != "static_site":
            yield on(
                "free_plan_in_production",
                Level.WARN,
                unit,
                f"{unit.name} is on the free plan: it sleeps when nobody calls and has one instance.",
                evidence=told(unit, inventory.file, "plan free", "plan"),
                fix="Choose a paid plan, for instance 0.5c-512mb.",
                rank=40,
                field="plan",
                file=inventory.file,
            )
    for store in inventory.stores:
        if store.plan == "free" and store.production:
            lost = store.kind == "postgres"
            until = f" on {store.expires_at:%Y-%m-%d}" if store.expires_at else ""
            fate = f"Render deletes it{until or ' after 30 days'}" if lost else "it loses all at a restart"
            yield on(
                "free_plan_in_production",
                Level.ERROR if lost else Level.WARN,
                store,
                f"{store.name} is on the free plan: {fate}.",
                evidence=told(store, inventory.file, "plan free", "plan"),
                fix=f"Choose a paid plan, for instance {'0.1c-256mb' if lost else '256mb'}.",
                rank=18,
                field="plan",
                file=inventory.file,
            )


RULE = Rule(
    name="free_plan_in_production",
    title="Production stands on a free plan",
    level=Level.ERROR,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
