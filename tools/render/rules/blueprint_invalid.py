"""render.yaml says something that Render does not understand.

What it finds
    YAML that cannot be read, unknown or misplaced fields, missing ones, wrong types and values, variables
    with two sources, `sync: false` in a group, a disk beside several instances, names that are given twice,
    schedules that are none. WARN where a value is only unknown here (a new region or runtime).

Why it matters
    Render refuses the file, and then no change in it takes effect, or it ignores the field: a misspelt
    healthCheckPath means a service without a health check.

Fix
    Correct the line. `render blueprints validate` asks Render itself.

When to ignore
    A field that Render added after this was written: say so in a suppression, and tell us.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import in_file


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per fault."""
    file = inventory.file
    for fault in file.faults if file else ():
        if file and not fault.deprecated:
            yield in_file(
                "blueprint_invalid",
                Level.ERROR if fault.grave else Level.WARN,
                file,
                fault.path,
                fault.line,
                f"{fault.message[0].upper()}{fault.message[1:]}",
                evidence=fault.path,
                fix=f"Correct line {fault.line} of {file.path}.",
                rank=30,
            )


RULE = Rule(
    name="blueprint_invalid",
    title="render.yaml says something that Render does not understand",
    level=Level.ERROR,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
