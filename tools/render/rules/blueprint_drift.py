"""What runs differs from render.yaml.

What it finds
    Services and databases whose plan, region, instances, scaling, commands, health check path, branch,
    autodeploy, schedule, image, shutdown delay or build filter differ from what render.yaml sets, and entries
    of the file that the workspace does not have. Fields that the file leaves out keep their value and are not
    compared, except the build filter, which a sync then empties. Needs the file and the API.

Why it matters
    The next sync of the blueprint puts back what the file says, in the middle of the day and without asking:
    an instance count that was raised in an incident, a plan, a command.

Fix
    Decide which is right, and write it into render.yaml.

When to ignore
    A change by hand that is meant to last only until the next sync.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.drift import differences
from tools.render.inventory import Inventory, Store
from tools.render.ruling import listed, on


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service or database."""
    file = inventory.file
    if not file or not inventory.live:
        return
    known = [one for one in (*inventory.units, *inventory.stores) if one.live and one.declared]
    for thing in known:
        changes = differences(thing)
        if changes:
            line = thing.declared.line if thing.declared else 0
            yield on(
                "blueprint_drift",
                Level.WARN,
                thing,
                f"{thing.name} differs from {file.path}: {listed(one.field for one in changes)}.",
                evidence="; ".join(one.said for one in changes),
                fix=f"Write what is right into {file.path} (line {line}), or let the sync put it back.",
                rank=43,
                line=line,
                file=file,
            )
    if not known or not inventory.whole:
        return  # a file of another workspace, or a part of one: what is absent means nothing
    for thing in (*inventory.units, *inventory.stores):
        lists = "Postgres" if isinstance(thing, Store) and thing.kind == "postgres" else "Key Value"
        if thing.declared and not thing.live and not (isinstance(thing, Store) and inventory.unread(lists)):
            yield on(
                "blueprint_drift",
                Level.WARN,
                thing,
                f"{thing.name} is in {file.path} and not in the workspace: the next sync creates it.",
                evidence=f"{file.path} line {thing.declared.line}; Render's API lists no {thing.object}",
                fix="Sync the blueprint, or remove the entry.",
                rank=47,
                file=file,
            )


RULE = Rule(
    name="blueprint_drift",
    title="What runs differs from render.yaml",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
