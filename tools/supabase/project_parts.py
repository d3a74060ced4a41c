"""Parts of a project that are told only on request."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from tools.partial import Partial
from tools.sections import Section, facts, rows
from tools.supabase.auth_settings import remarks
from tools.supabase.describing import backup_words, call_figures, limit_words, network_words, ssl_words
from tools.supabase.models import Advice, AuthConfig, Backups
from tools.supabase.models_settings import DataApiConfig, PostgresConfig
from tools.wording import ago, clipped, counted, stamp

if TYPE_CHECKING:
    from tools.supabase.client import SupabaseClient

_LEVELS: Final = {"ERROR": 0, "WARN": 1, "INFO": 2}
_KINDS: Final[tuple[Literal["security", "performance"], ...]] = ("security", "performance")
_MEASURED: Final = 20
"""Functions whose figures are read: one request each."""


async def functions(supabase: SupabaseClient, ref: str, now: datetime, part: Partial) -> list[Section]:
    """The functions with their last quarter of an hour."""
    known = await part("functions", supabase.list_functions(ref), [])
    stats = await asyncio.gather(
        *(
            part("figures", supabase.get_function_statistics(each.id, "15min", project=ref), [])
            for each in known[:_MEASURED]
        )
    )
    figures = dict(zip((each.id for each in known), stats, strict=False))
    cells = [
        [
            each.slug,
            each.status,
            each.version,
            ago(each.updated_at, now),
            "yes" if each.verify_jwt else "NO: anybody may call it",
            *call_figures(figures.get(each.id, [])),
        ]
        for each in known
    ]
    headings = [
        "function", "status", "version", "deployed", "checks JWT", "calls", "5xx", "mean ms", "longest ms",
    ]  # fmt: skip
    return [rows("Edge Functions; figures of the last 15 minutes", headings, cells, most=40)]


async def secrets(supabase: SupabaseClient, ref: str, now: datetime, part: Partial) -> list[Section]:
    """Names and digests of the functions' secrets."""
    known = await part("secrets", supabase.list_secrets(ref), [])
    cells = [[each.name, each.value.digest or "empty", ago(each.updated_at, now)] for each in known]
    title = "Secrets of functions (equal digests are equal values)"
    return [rows(title, ["name", "value", "changed"], cells, most=60)]


async def auth(supabase: SupabaseClient, ref: str, part: Partial) -> list[Section]:
    """What is worth a look in Auth's settings, and how people sign in."""
    config = await part("Auth settings", supabase.get_auth_config(ref), AuthConfig())
    known = config.model_extra or {}
    providers = [
        name.removeprefix("external_").removesuffix("_enabled")
        for name, value in known.items()
        if name.startswith("external_") and name.endswith("_enabled") and value is True
    ]
    hooks = [
        name.removeprefix("hook_").removesuffix("_enabled")
        for name, value in known.items()
        if name.startswith("hook_") and name.endswith("_enabled") and value is True
    ]
    told = {
        "sign-in by": ", ".join(providers),
        "new users": "may not sign up" if known.get("disable_signup") else "may sign up",
        "site": config.setting("site_url"),
        "redirects": config.setting("uri_allow_list"),
        "access token": f"{config.setting('jwt_exp')} s" if config.setting("jwt_exp") else "",
        "password": f"{config.setting('password_min_length')} characters or more",
        "second factor": "TOTP" if config.setting("mfa_totp_verify_enabled") else "none",
        "mail server": config.setting("smtp_host") or "Supabase's own",
        "limits": limit_words(known),
        "hooks": ", ".join(hooks),
    }
    cells = [[each.level, each.setting, each.message] for each in remarks(config)]
    return [facts("", told), rows("Worth a look", ["level", "setting", "what"], cells)]


async def backups(supabase: SupabaseClient, ref: str, now: datetime, part: Partial) -> list[Section]:
    """Backups and the span of point-in-time recovery."""
    known = await part("backups", supabase.list_backups(ref), Backups())
    cells = [
        [stamp(each.inserted_at, now), each.status, "physical" if each.is_physical_backup else "logical"]
        for each in sorted(known.backups, key=lambda one: str(one.inserted_at), reverse=True)
    ]
    return [
        facts("", {"in short": backup_words(known, now)}),
        rows("Backups", ["taken", "status", "kind"], cells),
    ]


async def network(supabase: SupabaseClient, ref: str, part: Partial) -> list[Section]:
    """Who may connect, TLS, bans, the pooler, Postgres' limits and the Data API."""
    restrictions, ssl, banned, poolers, postgres, api = await asyncio.gather(
        part("network restrictions", supabase.get_network_restrictions(ref), None),
        part("SSL enforcement", supabase.get_ssl_enforcement(ref), None),
        part("banned addresses", supabase.list_banned_addresses(ref), [], optional=True),
        part("pooler", supabase.list_pooler_configs(ref), []),
        part("Postgres settings", supabase.get_postgres_config(ref), PostgresConfig()),
        part("Data API", supabase.get_data_api_config(ref), DataApiConfig()),
    )
    told = {
        "who may connect to Postgres": network_words(restrictions),
        "connections without TLS": ssl_words(ssl),
        "shut out after failed logins": counted(len(banned), "address", "addresses") if banned else "nobody",
        "Postgres": ", ".join(
            f"{name} {value}"
            for name in ("max_connections", "statement_timeout", "work_mem", "shared_buffers")
            if (value := getattr(postgres, name))
        ),
        "Data API": f"serves {', '.join(api.schemas)}, at most {api.max_rows} rows" if api.schemas else "off",
    }
    cells = [
        [each.database_type, each.pool_mode, each.db_port, each.default_pool_size, each.max_client_conn]
        for each in poolers
    ]
    headings = ["pooler of", "mode", "port", "server connections", "client connections"]
    return [facts("", told), rows("Connection pooler", headings, cells)]


async def advisors(supabase: SupabaseClient, ref: str, part: Partial) -> list[Section]:
    """The findings of both advisors, those of one kind as one."""
    sections: list[Section] = []
    for kind in _KINDS:
        found = await part(f"{kind} advisor", supabase.list_advice(kind, project=ref), [])
        groups: dict[tuple[str, str], list[Advice]] = {}
        for each in sorted(found, key=lambda one: _LEVELS.get(one.level, len(_LEVELS))):
            groups.setdefault((each.level, each.name), []).append(each)
        cells = [
            [level, name, len(same), clipped("; ".join(each.detail or each.title for each in same), 200)]
            for (level, name), same in groups.items()
        ]
        sections.append(rows(f"{kind.capitalize()} advisor", ["level", "rule", "times", "where"], cells))
    return sections


async def branches(supabase: SupabaseClient, ref: str, now: datetime, part: Partial) -> list[Section]:
    """Database branches and the migrations of the main one."""
    known, migrations = await asyncio.gather(
        part("branches", supabase.list_branches(ref), [], optional=True),
        part("migrations", supabase.list_migrations(ref), [], optional=True),
    )
    cells = [
        [
            each.name,
            each.status,
            each.git_branch,
            "yes" if each.is_default else "",
            "WITH DATA" if each.with_data and not each.is_default else "",
            ago(each.updated_at, now),
        ]
        for each in known
    ]
    latest = [[each.version, each.name] for each in reversed(migrations)]
    return [
        rows("Branches", ["branch", "status", "git", "default", "data", "changed"], cells),
        rows("Migrations applied, newest first", ["version", "name"], latest, most=15),
    ]
