"""The build may install other versions than those that were tried.

What it finds
    Build commands with `npm install` or `npm i` without arguments (npm ci keeps to the lock file), `yarn
    install --no-lockfile`, `--no-frozen-lockfile`, `pip install --upgrade` of a requirements file, and
    commands that empty the cache (`npm cache clean`, `--no-cache-dir`, `rm -rf node_modules`).

Why it matters
    The same commit builds differently on another day, so that a rollback or an urgent fix brings new
    dependencies. Without the cache every build loads everything again.

Fix
    npm ci, yarn install --immutable, pnpm install --frozen-lockfile, pip install -r with pinned versions or
    hashes.

When to ignore
    A repository without a lock file, on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told

_LOOSE = re.compile(
    r"\bnpm (?:install|i)(?= *(?:$|&|;|\||--(?!global|package-lock-only)))|\byarn install --no-lockfile\b"
    r"|--no-frozen-lockfile\b|\bpip3? install (?:--upgrade|-U) -r\b|\bnpm cache clean\b"
    r"|\brm -rf \.?/?node_modules\b"
)


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.running:
        found = _LOOSE.search(unit.build_command)
        if found:
            yield on(
                "build_not_locked",
                Level.INFO,
                unit,
                f"The build of {unit.name} runs {found[0].strip()}: versions may differ from those tried.",
                evidence=told(unit, inventory.file, f"build command with {found[0].strip()}", "buildCommand"),
                fix="npm ci, or the like of it for your package manager.",
                rank=62,
                field="buildCommand",
                file=inventory.file,
            )


RULE = Rule(
    name="build_not_locked",
    title="The build may install other versions than those that were tried",
    level=Level.INFO,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
