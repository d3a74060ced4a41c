"""render.yaml uses a field that Render has replaced.

What it finds
    env, autoDeploy, pullRequestPreviewsEnabled, previewsEnabled, previewsExpireAfterDays, domain, and the
    type redis.

Why it matters
    They still work. autoDeploy cannot say that a deploy waits for checks, and readers of today's reference do
    not find them.

Fix
    Write the field that took its place.

When to ignore
    A file that nobody touches any more.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.blueprint.tree import Fault
from tools.render.inventory import Inventory
from tools.render.ruling import in_file


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per field name, on its first line."""
    file = inventory.file
    if file is None:
        return
    several: dict[str, list[Fault]] = {}
    for fault in file.faults:
        if fault.deprecated:
            several.setdefault(fault.message, []).append(fault)
    for message, faults in several.items():
        lines = ", ".join(str(one.line) for one in faults)
        name = faults[0].path.rpartition(".")[2]
        finding = in_file(
            "blueprint_field_deprecated",
            Level.INFO,
            file,
            faults[0].path,
            faults[0].line,
            message,
            evidence=f"lines {lines}" if len(faults) > 1 else "",
            fix=f"W{message.partition(': w')[2]}",
            rank=71,
        )
        yield finding.model_copy(update={"object": f"{file.path} {name}"})


RULE = Rule(
    name="blueprint_field_deprecated",
    title="render.yaml uses a field that Render has replaced",
    level=Level.INFO,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
