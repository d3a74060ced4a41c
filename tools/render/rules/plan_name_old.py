"""render.yaml names plans by their former names.

What it finds
    Services with starter, standard, pro, pro plus, pro max or pro ultra, and databases with basic-... or
    pro-..., which Render has called by their size (1c-2g) since August 2026. WARN for databases with starter,
    standard, pro or pro plus: new ones cannot be made of these.

Why it matters
    The API answers the new ids: a comparison of the file with what runs, by eye or by a script, fails. For a
    database of a legacy type the blueprint cannot be used to make it again.

Fix
    Write the ids that the API answers.

When to ignore
    The old names are still accepted for services.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.plans import plan_id
from tools.render.ruling import in_file, listed
from tools.wording import counted

_LEGACY = ("starter", "standard", "pro", "pro plus")


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding for the services of a file, one per legacy database."""
    file = inventory.file
    if file is None:
        return
    old = [(one, plan) for one in file.services if plan_id(plan := one.tree.word("plan")) != plan]
    if old:
        renamed = listed(f"{plan} is {plan_id(plan)}" for _, plan in old)
        places = [(one.tree.get("plan") or one.tree).line for one, _ in old]
        lines = ", ".join(map(str, places))
        yield in_file(
            "plan_name_old",
            Level.INFO,
            file,
            "",
            places[0],
            f"{counted(len(old), 'plan is', 'plans are')} named as before August 2026: {renamed}.",
            evidence=f"lines {lines}" if len(old) > 1 else "",
            fix=f"Write the ids that Render answers today: {renamed}.",
            rank=70,
        )
    for store in file.stores:
        if store.kind == "postgres" and (plan := store.tree.word("plan")) in _LEGACY:
            yield in_file(
                "plan_name_old",
                Level.WARN,
                file,
                store.tree.path,
                store.line,
                f"{store.name} is of the legacy type {plan}, of which no new database can be made.",
                fix="Move it to a current type, for instance 0.5c-1g; it cannot be moved back.",
                rank=55,
            )


RULE = Rule(
    name="plan_name_old",
    title="render.yaml names plans by their former names",
    level=Level.INFO,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
