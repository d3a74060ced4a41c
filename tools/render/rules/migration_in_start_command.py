"""Migrations run in the start command.

What it finds
    Start commands that run migrations (prisma migrate, alembic upgrade, manage.py migrate, db:migrate, knex,
    typeorm, supabase db push ...) before the service itself.

Why it matters
    Every instance runs them, at every start, restart and scale-up: at the same time, and again when a host
    fails. A slow one makes the health check fail and the deploy with it.

Fix
    Move them to preDeployCommand: it runs once, before the new release starts, and stops the deploy when it
    fails.

When to ignore
    A service with one instance whose migrations are quick; the pre-deploy command still is the better place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.ruling import on, told

_MIGRATION = re.compile(
    r"\bprisma(?:/\S+)? (?:migrate deploy|db push)\b|\balembic upgrade\b|\bmanage\.py migrate\b"
    r"|\bdb:migrate\b|\bknex migrate:latest\b|\btypeorm migration:run\b|\bsequelize(?:-cli)? db:migrate\b"
    r"|\bdrizzle-kit (?:migrate|push)\b|\bflask db upgrade\b|\bsupabase db push\b"
    r"|\b(?:flyway|dbmate|goose) (?:up|migrate)\b"
    r"|\bmigrate:(?:up|deploy|latest)\b"
)


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    for unit in inventory.running:
        found = _MIGRATION.search(unit.start_command)
        if found and unit.kind not in ("cron_job", "static_site"):
            yield on(
                "migration_in_start_command",
                Level.WARN,
                unit,
                f"{unit.name} runs {found[0]} whenever an instance starts.",
                evidence=told(unit, inventory.file, f"{found[0]} in the start command", "startCommand"),
                fix="Move it into preDeployCommand: that runs once, before the release.",
                rank=45,
                field="startCommand",
                file=inventory.file,
            )


RULE = Rule(
    name="migration_in_start_command",
    title="Migrations run in the start command",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
