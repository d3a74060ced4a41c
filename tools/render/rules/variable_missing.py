"""A service lacks a variable that render.yaml asks for.

What it finds
    Variables with `sync: false` in render.yaml that the running service has neither itself nor through a
    group. Needs the file and the API.

Why it matters
    Render asks for such values once, when the blueprint is created, and ignores those that are added later:
    the new code starts without them.

Fix
    Set the value with change_env_var or in the dashboard, then deploy.

When to ignore
    A variable that the code can do without.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import listed, on


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    file = inventory.file
    for unit in inventory.units:
        entry = unit.declared
        if not file or not entry or not unit.live or unit.variables is None:
            continue
        asked = [one for one in entry.variables if one.source == "prompted"]
        lacking = [one for one in asked if one.key not in unit.variables]
        if lacking:
            names = listed(one.key for one in lacking)
            yield on(
                "variable_missing",
                Level.WARN,
                unit,
                f"{unit.name} does not have {names}, which {file.path} asks for.",
                evidence=f"{file.path} line {lacking[0].line}: sync: false; Render's API: no such variable",
                fix="\n".join(f"change_env_var: set {one.key} of {unit.name}" for one in lacking),
                rank=40,
                line=lacking[0].line,
                file=file,
            )


RULE = Rule(
    name="variable_missing",
    title="A service lacks a variable that render.yaml asks for",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
