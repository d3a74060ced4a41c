"""A Supabase project in one look: one fact a line."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from tools.partial import Partial
from tools.sections import Section, facts
from tools.supabase.auth_settings import remarks
from tools.supabase.describing import (
    addon_words,
    advice_words,
    backup_words,
    bucket_words,
    disk_words,
    function_words,
    health_words,
    level_words,
    network_words,
    ssl_words,
)
from tools.supabase.models import AuthConfig, Project
from tools.supabase.models_settings import Addons, Disk, DiskUtilization, ReadOnlyMode, UpgradeEligibility

if TYPE_CHECKING:
    from tools.supabase.client import SupabaseClient


async def overview(supabase: SupabaseClient, ref: str, now: datetime, part: Partial) -> list[Section]:
    """One fact a line, of everything; what needs somebody is in capitals."""
    (
        (project, health, functions, secrets, auth, backups),
        (network, ssl, branches, disk, used, addons),
        (security, performance, buckets, migrations, readonly, upgrade),
        legacy,
    ) = await asyncio.gather(
        asyncio.gather(
            part("project", supabase.get_project(ref), Project()),
            part("health", supabase.get_health(project=ref), []),
            part("functions", supabase.list_functions(ref), None),
            part("secrets", supabase.list_secrets(ref), []),
            part("Auth settings", supabase.get_auth_config(ref), AuthConfig()),
            part("backups", supabase.list_backups(ref), None),
        ),
        asyncio.gather(
            part("network restrictions", supabase.get_network_restrictions(ref), None),
            part("SSL enforcement", supabase.get_ssl_enforcement(ref), None),
            part("branches", supabase.list_branches(ref), [], optional=True),
            part("disk", supabase.get_disk(ref), Disk(), optional=True),
            part("disk use", supabase.get_disk_utilization(ref), DiskUtilization(), optional=True),
            part("add-ons", supabase.get_addons(ref), Addons(), optional=True),
        ),
        asyncio.gather(
            part("security advisor", supabase.list_advice("security", project=ref), None),
            part("performance advisor", supabase.list_advice("performance", project=ref), None),
            part("buckets", supabase.list_buckets(ref), None),
            part("migrations", supabase.list_migrations(ref), [], optional=True),
            part("read-only mode", supabase.get_read_only_mode(ref), ReadOnlyMode(), optional=True),
            part("upgrades", supabase.get_upgrade_eligibility(ref), UpgradeEligibility(), optional=True),
        ),
        part("legacy keys", supabase.has_legacy_keys(ref), None, optional=True),
    )
    version = project.database.version if project.database else ""
    found = Counter(each.level for each in remarks(auth))
    public = [bucket.name for bucket in buckets or () if bucket.public]
    told = {
        "status": ", ".join(filter(None, [project.status, project.region, f"PostgreSQL {version}"])),
        "health": health_words(health),
        "read-only mode": "ON: writes are refused" if readonly.enabled else "",
        "compute and add-ons": addon_words(addons),
        "disk": disk_words(disk, used),
        "backups": backup_words(backups, now) if backups else "",
        "connections without TLS": ssl_words(ssl),
        "who may connect to Postgres": network_words(network),
        "Edge Functions": "" if functions is None else function_words(functions),
        "secrets of functions": ", ".join(sorted(each.name for each in secrets)),
        "Auth settings": f"{level_words(found)} (section `auth`)" if auth.model_extra else "",
        "legacy anon and service_role keys": "" if legacy is None else "still work" if legacy else "off",
        "storage": "" if buckets is None else bucket_words(public, len(buckets)),
        "branches": ", ".join(f"{each.name} ({each.status})" for each in branches if not each.is_default),
        "migrations": f"{len(migrations)}, latest {migrations[-1].version} {migrations[-1].name}"
        if migrations
        else "",
        "security advisor": advice_words(security),
        "performance advisor": advice_words(performance),
        "upgrade": f"to {upgrade.latest_app_version} is possible" if upgrade.eligible else "",
    }
    return [facts(f"{project.name or ref} ({ref})", told)]
