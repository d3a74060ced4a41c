"""What can be told of a Postgres database, a Key Value instance or an environment group on Render."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tools.partial import Partial
from tools.render.describing import key_value_words, postgres_words
from tools.render.models import AllowedRange, EnvGroup
from tools.render.models_stores import KeyValue, Postgres, Recovery
from tools.sections import Section, facts, rows
from tools.wording import ago, octets, stamp

if TYPE_CHECKING:
    from tools.render.client import RenderClient

_OVER: Final = frozenset({"succeeded", "failed", "cancelled", "canceled"})
_ANYBODY: Final = frozenset({"0.0.0.0/0", "::/0"})


async def postgres(render: RenderClient, database: Postgres, now: datetime, part: Partial) -> list[Section]:
    """Plan, recovery, who may connect, backups, planned maintenance, largest tables."""
    recovery, exports, maintenance, sizes = await asyncio.gather(
        part("recovery", render.get_recovery(database.id), Recovery(), optional=True),
        part("exports", render.list_postgres_exports(database.id), [], optional=True),
        _maintenance(render, database.id, now, part),
        part("sizes", render.get_size_statistics(database.id), [], optional=True),
    )
    since = f" since {stamp(recovery.starts_at, now)}" if recovery.starts_at else ""
    latest = max((each.created_at for each in exports if each.created_at), default=None)
    overrides = ", ".join(f"{name} {value}" for name, value in database.parameter_overrides.items())
    told = {
        "it is": postgres_words(database),
        "database": ", user ".join(filter(None, [database.database_name, database.database_user])),
        "who may connect from outside": _allowed(database.ip_allow_list),
        "point-in-time recovery": f"{recovery.recovery_status}{since}" if recovery.recovery_status else "",
        "logical backups": f"{len(exports)}, latest {stamp(latest, now)}" if exports else "none",
        "disk grows by itself": _yes(database.disk_autoscaling_enabled),
        "read replicas": ", ".join(each.name or each.id for each in database.read_replicas),
        "settings": overrides,
        "maintenance": maintenance,
        "created": ago(database.created_at, now),
        "EXPIRES": stamp(database.expires_at, now),
        "dashboard": database.dashboard_url,
    }
    tables = [each for each in sizes if each.table and not each.index]
    largest = sorted(tables, key=lambda each: -each.size)
    cells = [[f"{each.schema_name}.{each.table}", octets(each.size)] for each in largest]
    return [facts("", told), *([rows("Largest tables", ["table", "size"], cells, most=8)] if cells else [])]


async def key_value(render: RenderClient, instance: KeyValue, now: datetime, part: Partial) -> list[Section]:
    """Plan, what happens when it is full, who may connect, planned maintenance."""
    told = {
        "it is": key_value_words(instance),
        "options": ", ".join(f"{name} {value}" for name, value in instance.options.items()),
        "who may connect from outside": _allowed(instance.ip_allow_list),
        "maintenance": await _maintenance(render, instance.id, now, part),
        "created": ago(instance.created_at, now),
    }
    return [facts("", told)]


async def env_group(render: RenderClient, group: EnvGroup, now: datetime, part: Partial) -> list[Section]:
    """Variables by name and digest, files, and which services have them."""
    whole = await part("variables", render.get_env_group(group.id), group)
    linked = ", ".join(f"{link.name or link.id} ({link.id})" for link in whole.service_links)
    cells = [[each.key, each.value.digest or "empty"] for each in whole.env_vars]
    files = [[each.name, each.content.digest or "empty"] for each in whole.secret_files]
    return [
        facts("", {"linked to": linked or "no service", "changed": ago(whole.updated_at, now)}),
        rows("Variables (equal digests are equal values)", ["name", "value"], cells, most=80),
        *([rows("Secret files", ["file", "content"], files)] if files else []),
    ]


async def _maintenance(render: RenderClient, resource: str, now: datetime, part: Partial) -> str:
    known = await part("maintenance", render.list_maintenance(resource=resource), [], optional=True)
    coming = [each for each in known if each.state not in _OVER]
    return "; ".join(
        f"{each.type} {each.state} {stamp(each.scheduled_at, now)}, at the latest "
        f"{stamp(each.pending_maintenance_by, now)}"
        for each in coming
    )


def _allowed(ranges: Sequence[AllowedRange] | None) -> str:
    """Render answers null where nobody set a list; what holds then is not said by its documents."""
    if ranges is None:
        return "Render gives no list (look in the dashboard)"
    if not ranges:
        return "nobody: only Render's private network"
    if any(each.cidr_block in _ANYBODY for each in ranges):
        return "ANYBODY who has the password (0.0.0.0/0)"
    return ", ".join(f"{each.cidr_block} {each.description}".strip() for each in ranges)


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"
