"""A database accepts connections from the whole internet.

What it finds
    Postgres databases and Key Value instances whose IP allow list has a range such as 0.0.0.0/0, or, for
    Postgres in render.yaml, no ipAllowList at all, which means everybody. Where the API answers null and no
    file says more, nothing is concluded. WARN outside of production.

Why it matters
    Only the password stands between anybody and the data. Passwords leak, and HIPAA asks for access from as
    few places as the work needs (164.312(a)(1)).

Fix
    Set an empty allow list: services in the same region connect through the private network all the same.
    Where somebody must connect from outside, list that network alone.

When to ignore
    A database without personal data that a partner without a fixed address must reach.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, open_range, told


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per database."""
    file = inventory.file
    for store in inventory.stores:
        found = open_range(store.ranges or ())
        if not found:
            continue
        silent = store.declared is not None and store.declared.ranges is None and file is not None
        if silent and file and store.declared:
            shown = f"{file.path} line {store.declared.line}: no ipAllowList, which lets everybody connect"
        else:
            shown = told(store, file, f"the allow list has {found}")
        yield on(
            "datastore_open_to_internet",
            Level.ERROR if store.production else Level.WARN,
            store,
            f"{store.name} accepts connections from any address.",
            evidence=shown,
            fix="Allow nobody from outside; services of the same region still connect:\nipAllowList: []",
            rank=20,
            file=file,
            line=store.declared.line if silent and store.declared else 0,
        )


RULE = Rule(
    name="datastore_open_to_internet",
    title="A database accepts connections from the whole internet",
    level=Level.ERROR,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
