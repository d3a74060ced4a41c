"""render.yaml refers to something that does not exist.

What it finds
    fromDatabase, fromService and fromGroup whose name is neither in the file nor in the workspace, or in the
    file under another type. With the file alone, a name that is not in it may still exist in the workspace:
    that is reported as not examined.

Why it matters
    Render refuses the whole blueprint, or the service starts without the variable.

Fix
    Correct the name or the type, or define what is missing.

When to ignore
    Never: what is missing here is missing for Render too.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.references import missing, references
from tools.render.ruling import in_file


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per reference."""
    file = inventory.file
    for reference in references(file) if file else ():
        reason = missing(inventory, reference)
        if file and reason:
            yield in_file(
                "reference_unresolved",
                Level.ERROR,
                file,
                reference.path,
                reference.line,
                f"{reference.said} is not there: {reason}.",
                fix="Correct the name or the type, or define it.",
                rank=35,
            )


RULE = Rule(
    name="reference_unresolved",
    title="render.yaml refers to something that does not exist",
    level=Level.ERROR,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
