"""Production is started by a development server.

What it finds
    Start commands of production with nodemon, `npm run dev`, `next dev`, `vite` without build, `flask run`,
    `manage.py runserver`, `uvicorn --reload`, `rails server -e development` and the like, and NODE_ENV
    development.

Why it matters
    Such servers show stack traces and sources to whoever asks, recompile while they serve, handle one request
    at a time and use more memory than the plan has.

Fix
    Start what was built: `next start`, `gunicorn`, `uvicorn` without --reload, `node dist/server.js`.

When to ignore
    A service that is for developers alone; a name with dev or staging says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.inventory_values import Value
from tools.render.ruling import on, told

_DEVELOPMENT = re.compile(
    r"\bnodemon\b|\b(?:npm|pnpm|yarn|bun)(?: run)? (?:start:)?dev\b|\bnext dev\b|\bnuxt dev\b|\bastro dev\b"
    r"|\bvite(?: dev| serve)?(?= *(?:$|&|--))|\bwebpack(?:-dev-server| serve)\b|\bts-node-dev\b|\btsx watch\b"
    r"|\bflask (?:--app \S+ )?run\b|\bmanage\.py runserver\b|(?:^| )--reload\b|-e development\b"
)


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.production:
        found = _DEVELOPMENT.search(unit.start_command)
        mode = (unit.variables or {}).get("NODE_ENV", Value()).setting
        said = found[0].strip() if found else "NODE_ENV=development" if mode == "development" else ""
        if said and unit.kind != "static_site":
            yield on(
                "development_command",
                Level.WARN,
                unit,
                f"{unit.name} runs {said}, which is for development.",
                evidence=told(
                    unit, inventory.file, f"{said} in its start command or variables", "startCommand"
                ),
                fix="Start what was built, with the server that is meant for production.",
                rank=43,
                field="startCommand",
                file=inventory.file,
            )


RULE = Rule(
    name="development_command",
    title="Production is started by a development server",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
