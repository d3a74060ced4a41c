"""A secret has a name that build tools copy into the browser.

What it finds
    Variables named NEXT_PUBLIC_, VITE_, REACT_APP_ and the like whose value is a secret by its shape: a
    service_role key, a secret API key, a private key, an address with a password.

Why it matters
    Such variables are copied into the JavaScript that every visitor downloads. A service_role key there opens
    the whole database past every policy: all patients, to anybody.

Fix
    Issue a new secret at once, delete the variable, read the secret on the server under a name without that
    prefix, and build again: what was built keeps the old value.

When to ignore
    Never for a service_role key. A key that its vendor means for browsers may have this shape: say so in a
    suppression.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.inventory_values import for_the_browser
from tools.render.ruling import on, told


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per variable of a service."""
    for unit in inventory.units:
        for key, value in (unit.variables or {}).items():
            if value.looks and for_the_browser(key):
                finding = on(
                    "secret_for_browser",
                    Level.ERROR,
                    unit,
                    f"{key} of {unit.name} goes into what browsers download, and holds {value.looks}.",
                    evidence=told(unit, inventory.file, f"{key} holds {value.looks} (not shown)", key),
                    fix=f"Issue a new secret; delete {key}; read the secret on the server under another name;"
                    " deploy with a new build.",
                    rank=5,
                    field=key,
                    file=inventory.file,
                )
                yield finding.model_copy(update={"object": f"{key} of {unit.object}"})


RULE = Rule(
    name="secret_for_browser",
    title="A secret has a name that build tools copy into the browser",
    level=Level.ERROR,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
