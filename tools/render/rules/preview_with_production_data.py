"""Previews of pull requests work on production's data.

What it finds
    Services with service previews whose variables point at a Postgres, a Key Value or a Supabase project: a
    preview of a service gets a copy of its variables. Blueprints with preview environments that give such an
    address as a literal value without `previewValue`. ERROR where previews come by themselves, WARN where
    somebody asks for each.

Why it matters
    Code that nobody has reviewed yet reads and writes patients' records, runs its migrations there, and has
    an address on the internet.

Fix
    Give previews data of their own: a database branch or a staging project and `previewValue`, `fromDatabase`
    in the blueprint (a preview environment gets its own database), or `previews.generation: off` for this
    service.

When to ignore
    The database that is pointed at holds synthetic data only.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory, Unit
from tools.render.inventory_values import Link, look
from tools.render.ruling import listed, on, told


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    file = inventory.file
    environments = file.previews if file else "off"
    for unit in inventory.running:
        read = unit.variables or {}
        targets = {key: value.links for key, value in read.items() if value.links}
        how = unit.previews
        if how not in ("manual", "automatic"):
            how, targets = environments, _copied(inventory, unit)
        if how in ("manual", "automatic") and targets and unit.production:
            names = [_name(inventory, link.target) for links in targets.values() for link in links]
            yield on(
                "preview_with_production_data",
                Level.ERROR if how == "automatic" else Level.WARN,
                unit,
                f"{'Every pull request' if how == 'automatic' else 'A preview'} of {unit.name} works on"
                f" {listed(names)}.",
                evidence=told(
                    unit, file, f"previews {how}; a preview gets a copy of {listed(targets)}", "previews"
                ),
                fix="Point previews at data of their own (previewValue, fromDatabase, a database branch), or"
                " switch them off for this service.",
                rank=28,
                field="previews",
                file=file,
            )


def _copied(inventory: Inventory, unit: Unit) -> dict[str, tuple[Link, ...]]:
    """Literal addresses that a preview environment takes over as they are."""
    entry, file = unit.declared, inventory.file
    if not entry or not file:
        return {}
    groups = filter(None, (file.group(name) for name, _ in entry.groups))
    given = [one for owner in (*groups, entry) for one in owner.variables]
    literal = [one for one in given if one.source == "value" and not one.preview]
    found = {one.key: look(one.key, one.value).links for one in literal}
    return {key: links for key, links in found.items() if links}


def _name(inventory: Inventory, target: str) -> str:
    store = inventory.store(target)
    return store.name if store else f"{'database' if '-' in target else 'Supabase project'} {target}"


RULE = Rule(
    name="preview_with_production_data",
    title="Previews of pull requests work on production's data",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
