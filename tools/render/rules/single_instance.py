"""A web service of production has a single instance.

What it finds
    Web services of production that run with one instance, or may scale down to one. Services with a disk,
    which cannot have more, and free ones are left out.

Why it matters
    When its host fails or the process is killed, nobody is served until the new one is up. A single slow
    request can also hold up everybody.

Fix
    numInstances: 2, or scaling with minInstances: 2. Sessions and files must not live in the process then.

When to ignore
    A service that may be away for some minutes.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.production:
        if unit.kind != "web_service" or unit.least != 1 or unit.disk or unit.plan == "free":
            continue
        how = f"scales from 1 to {unit.scaling[1]}" if unit.scaling else "has one instance"
        yield on(
            "single_instance",
            Level.WARN,
            unit,
            f"{unit.name} {how}: when that one fails, nobody is served until another is up.",
            evidence=told(unit, inventory.file, how, "scaling" if unit.scaling else "numInstances"),
            fix="minInstances: 2" if unit.scaling else "numInstances: 2",
            rank=44,
            field="scaling" if unit.scaling else "numInstances",
            file=inventory.file,
        )


RULE = Rule(
    name="single_instance",
    title="A web service of production has a single instance",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
