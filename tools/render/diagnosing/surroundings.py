"""What a service stands on beyond Render: the Supabase project, and the connected database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString

from tools.errors import ConfigurationError, RemoteError
from tools.partial import Partial
from tools.render.diagnosing.evidence import Line, Said, Statement, Supabase
from tools.render.diagnosing.logs import gathered
from tools.resources import Resources

_WHERE: Final = """
select n.nspname::text as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where e.extname = 'pg_stat_statements'
"""
_COSTLY: Final[dict[str, LiteralString]] = {
    "extensions": """
select query, calls::float8 as calls, mean_exec_time as mean, max_exec_time as longest
from extensions.pg_stat_statements
where dbid = (select oid from pg_database where datname = current_database())
order by total_exec_time desc limit 10
""",
    "public": """
select query, calls::float8 as calls, mean_exec_time as mean, max_exec_time as longest
from public.pg_stat_statements
where dbid = (select oid from pg_database where datname = current_database())
order by total_exec_time desc limit 10
""",
}
_COMPLAINTS: Final = """
select timestamp, event_message, source from logs
where source in ('postgres_logs', 'supavisor_logs', 'postgrest_logs', 'auth_logs', 'storage_logs')
  and (log_attributes['parsed.error_severity'] in ('ERROR', 'FATAL', 'PANIC')
       or log_attributes['level'] in ('error', 'fatal', 'warning'))
order by timestamp desc limit 200
"""


async def read_supabase(
    resources: Resources, since: datetime, now: datetime, part: Partial
) -> Supabase | None:
    """The health of the connected project and what its logs complain of; None where none is connected."""
    if resources.supabase_or_none is None:
        return None
    try:
        return await _supabase(resources, since, now, part)
    except ConfigurationError as error:  # its key is wrong: Render's part of the answer stands without it
        part.unread.append(f"Supabase: {error.message}")
        return None


async def _supabase(resources: Resources, since: datetime, now: datetime, part: Partial) -> Supabase:
    supabase = resources.supabase
    project = await part("Supabase project", supabase.get_project(), None)
    health = await part("Supabase health", supabase.get_health(), [])
    start = max(since, now - timedelta(hours=3))
    rows = await part("Supabase logs", supabase.query_logs(_COMPLAINTS, start=start, end=now), [])
    return Supabase(
        region=project.region if project else "",
        status=project.status if project else "",
        unhealthy=tuple((each.name, each.error or each.status) for each in health if not each.healthy),
        said=_complaints(rows, start, now),
    )


def _complaints(rows: list[Any], start: datetime, now: datetime) -> tuple[Said, ...]:
    made: list[Line] = []
    for row in rows:
        try:
            at = datetime.fromisoformat(str(row.get("timestamp", "")))
        except ValueError:
            continue
        made.append(Line(at if at.tzinfo else at.replace(tzinfo=UTC), str(row.get("event_message", ""))))
    made.sort(key=lambda line: line.at)
    return gathered(made, start, now, (), 1.0)


async def read_statements(resources: Resources, part: Partial) -> tuple[Statement, ...]:
    """The statements of the connected database that cost most, from pg_stat_statements."""
    if resources.database_or_none is None:
        return ()
    return await part("pg_stat_statements", _statements(resources), ())


async def _statements(resources: Resources) -> tuple[Statement, ...]:
    database = resources.database
    found = await database.fetch(_WHERE)
    schema = str(found[0]["schema"]) if found else ""
    if schema not in _COSTLY:
        raise RemoteError("it is not installed in the connected database.")
    rows = await database.fetch(_COSTLY[schema])
    return tuple(
        Statement(shown_sql(row["query"]), row["calls"], row["mean"], row["longest"], database.target.label)
        for row in rows
    )


def shown_sql(query: str) -> str:
    """A statement without its literals, short."""
    from tools.database.literals import without_literals

    return without_literals(query, 140)
