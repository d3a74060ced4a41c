"""How the parts of a project are said in a few words; what needs somebody is in capitals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tools.supabase.models import Advice, Backups, Function, ServiceHealth
from tools.supabase.models_settings import (
    Addons,
    Disk,
    DiskUtilization,
    NetworkRestrictions,
    SslEnforcement,
)
from tools.wording import ago, counted, figure, octets, percent, span, stamp

_ANYBODY: Final = frozenset({"0.0.0.0/0", "::/0"})
_FULL: Final = 0.85
_HOURS: Final = 730
"""Hours of a month."""
_LATE: Final = timedelta(hours=36)


def health_words(health: Sequence[ServiceHealth]) -> str:
    """Who is not healthy, or that all are; empty where nothing was read."""
    sick = [f"{each.name} {each.status} {each.error}".strip() for each in health if not each.healthy]
    if sick:
        return f"NOT HEALTHY: {'; '.join(sick)}"
    return f"all healthy ({', '.join(each.name for each in health)})" if health else ""


def addon_words(addons: Addons) -> str:
    """Compute and the rest with their price a month, as the API gives it."""
    said: list[str] = []
    for each in addons.selected_addons:
        price = each.variant.price
        amount = price.amount or 0.0
        monthly = amount * _HOURS if price.interval == "hourly" else amount
        cost = f" (${figure(monthly)} a month)" if monthly else ""
        said.append(f"{each.type.removesuffix('_instance')} {each.variant.name or each.variant.id}{cost}")
    return ", ".join(said)


def disk_words(disk: Disk, used: DiskUtilization) -> str:
    """How full, of how much, and how fast it is."""
    total, taken = used.metrics.fs_size_bytes, used.metrics.fs_used_bytes
    attributes = disk.attributes
    parts = [f"{attributes.size_gb} GB {attributes.type}" if attributes.size_gb else ""]
    if total and taken is not None:
        share = taken / total
        parts.append(f"{octets(taken)} used ({percent(share)}{', FILLING UP' if share >= _FULL else ''})")
    parts.append(f"{attributes.iops} IOPS" if attributes.iops else "")
    return ", ".join(filter(None, parts))


def backup_words(backups: Backups, now: datetime) -> str:
    """The newest backup, and what point-in-time recovery covers."""
    done = [each.inserted_at for each in backups.backups if each.status == "COMPLETED" and each.inserted_at]
    newest = max(done, default=None)
    physical = backups.physical_backup_data
    first, last = physical.earliest_physical_backup_date_unix, physical.latest_physical_backup_date_unix
    pitr = "point-in-time recovery " + ("on" if backups.pitr_enabled else "OFF")
    if backups.pitr_enabled and first and last:
        since, until = datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)
        pitr += f" ({stamp(since)} to {stamp(until)}, {span(until - since)})"
    if newest is None:
        return f"NO COMPLETED BACKUP LISTED, {pitr}"
    late = now - newest > _LATE and not backups.pitr_enabled
    return f"{len(done)} completed, newest {ago(newest, now)}{' (LATE)' if late else ''}; {pitr}"


def ssl_words(ssl: SslEnforcement | None) -> str:
    """Whether Postgres refuses connections without TLS."""
    if ssl is None:
        return ""
    return "refused" if ssl.current_config.database else "ACCEPTED (SSL enforcement is off)"


def network_words(network: NetworkRestrictions | None) -> str:
    """The ranges that may connect to Postgres."""
    if network is None:
        return ""
    ranges = [*network.config.db_allowed_cidrs, *network.config.db_allowed_cidrs_v6]
    said = [str(each.get("address", each)) if isinstance(each, Mapping) else str(each) for each in ranges]  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]  JSON
    if not said or any(each in _ANYBODY for each in said):
        return "ANYBODY who has the password (no network restrictions)"
    return ", ".join(said)


def function_words(functions: Sequence[Function]) -> str:
    """How many, by name, and which of them anybody may call."""
    if not functions:
        return "none"
    opened = [each.slug for each in functions if each.verify_jwt is False]
    names = ", ".join(f"{each.slug} v{each.version}" for each in functions)
    return names + (f"; WITHOUT A JWT ANYBODY CALLS {', '.join(opened)}" if opened else "")


def level_words(levels: Counter[str]) -> str:
    """`1 ERROR, 4 WARN, 3 INFO`."""
    order = ("ERROR", "WARN", "INFO")
    return ", ".join(f"{levels[level]} {level}" for level in order if levels[level]) or "nothing found"


def advice_words(advice: Sequence[Advice] | None) -> str:
    """Counts by level, and the rules above INFO."""
    if advice is None:
        return ""
    loud = Counter(each.name for each in advice if each.level in {"ERROR", "WARN"})
    rules = ", ".join(name if count == 1 else f"{name} x{count}" for name, count in loud.most_common(8))
    return level_words(Counter(each.level for each in advice)) + (f": {rules}" if rules else "")


def call_figures(statistics: Sequence[Mapping[str, Any]]) -> tuple[str, str, str, str]:
    """Calls, the share of 5xx, mean and longest execution in ms, over all rows."""

    def total(name: str) -> float:
        return sum(float(row.get(name) or 0) for row in statistics)

    calls = total("requests_count")
    if not statistics or not calls:
        return ("0" if statistics else "", "", "", "")
    weighted = sum(
        float(row.get("avg_execution_time") or 0) * float(row.get("requests_count") or 0)
        for row in statistics
    )
    longest = max(float(row.get("max_execution_time") or 0) for row in statistics)
    failed = percent(total("server_err_count") / calls)
    return (figure(calls), failed, figure(weighted / calls), figure(longest))


def limit_words(settings: Mapping[str, Any]) -> str:
    """Auth's own rate limits."""
    named = {
        name.removeprefix("rate_limit_").replace("_", " "): value
        for name, value in settings.items()
        if name.startswith("rate_limit_") and value is not None
    }
    return ", ".join(f"{name} {value}" for name, value in named.items())


def bucket_words(public: Sequence[str], many: int) -> str:
    """How many, and which of them anybody reads."""
    return counted(many, "bucket") + (f"; ANYBODY READS {', '.join(public)}" if public else ", none public")
