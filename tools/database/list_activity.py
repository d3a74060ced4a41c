"""The tool list_activity."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from tools.database.literals import without_literals
from tools.database.rows import table
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources

_ACTIVITY: Final = """
select a.pid, coalesce(a.usename, a.backend_type)::text as login,
       coalesce(a.application_name, '') as application,
       coalesce(a.state, '') as state,
       case when a.wait_event is null then '' else a.wait_event_type || ': ' || a.wait_event end as wait,
       round(extract(epoch from clock_timestamp() - a.xact_start), 1)::float8 as transaction_seconds,
       round(extract(epoch from clock_timestamp() - a.query_start), 1)::float8 as query_seconds,
       pg_blocking_pids(a.pid) as blocked_by, coalesce(a.query, '') as said
from pg_stat_activity a
where a.datname = current_database() and a.pid <> pg_backend_pid()
  and (%(idle)s::boolean or a.state is distinct from 'idle')
order by cardinality(pg_blocking_pids(a.pid)) desc, a.xact_start nulls last
limit 200
"""
_COUNTS: Final = """
select (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used,
       current_setting('max_connections')::int as allowed
"""


class ListActivity(Params):
    """Arguments of list_activity."""

    include_idle: bool = Field(default=False, description="List idle sessions, too.")


class Activity(BaseModel):
    """One session. Times in seconds; `query` has no literals."""

    model_config = ConfigDict(frozen=True)

    pid: int
    login: str
    application: str
    state: str
    wait: str
    transaction_seconds: float | None
    query_seconds: float | None
    blocked_by: tuple[int, ...]
    query: str


class Activities(Result):
    """Sessions of this database, the blocked ones first."""

    target: str
    connections: int
    max_connections: int
    sessions: tuple[Activity, ...]

    def markdown(self) -> str:
        """A table and the use of connections."""
        use = f"{self.connections} of {self.max_connections} connections in use in {self.target}."
        if not self.sessions:
            return f"No other session is doing anything. {use}"
        lines = [
            [
                line.pid,
                line.login,
                line.application,
                line.state,
                line.wait,
                "" if line.transaction_seconds is None else f"{line.transaction_seconds:,.1f} s",
                ", ".join(map(str, line.blocked_by)),
                line.query[:160],
            ]
            for line in self.sessions
        ]
        headings = [
            "pid",
            "login",
            "application",
            "state",
            "waits for",
            "in transaction",
            "blocked by",
            "query",
        ]
        return f"{table(headings, lines)}\n\n{use}"


@tool(Effect.READ)
async def list_activity(params: ListActivity, resources: Resources) -> Activities:
    """List what other sessions do now: state, wait, age of transaction, who blocks whom, and the statement.

    Literals are taken out of the statements. For what ran in the past look at pg_stat_statements with
    execute_sql. A login without pg_monitor sees the statements of its own role only.
    """
    database = resources.database
    sessions, counts = await database.fetch_many(
        [(_ACTIVITY, {"idle": params.include_idle}), (_COUNTS, None)]
    )
    return Activities(
        target=database.target.label,
        connections=counts[0]["used"],
        max_connections=counts[0]["allowed"],
        sessions=tuple(_session(row) for row in sessions),
    )


def _session(row: dict[str, Any]) -> Activity:
    said = row.pop("said")
    return Activity(**row, query=without_literals(said))
