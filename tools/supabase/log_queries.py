"""Queries over a project's logs, written here from typed wishes: no model writes their SQL.

The dialect is ClickHouse's, over one table `logs` with a map of strings `log_attributes`; `count(*)` and
`select *` do not work there, and a window is at most 24 hours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Source = Literal[
    "any", "api", "postgres", "functions", "auth", "storage", "realtime", "data_api", "pooler"
]  # fmt: skip
Level = Literal["error", "warning", "all"]
TABLES: Final[dict[str, tuple[str, ...]]] = {
    "api": ("edge_logs",),
    "postgres": ("postgres_logs",),
    "functions": ("function_logs", "function_edge_logs"),
    "auth": ("auth_logs",),
    "storage": ("storage_logs",),
    "realtime": ("realtime_logs",),
    "data_api": ("postgrest_logs",),
    "pooler": ("supavisor_logs", "pgbouncer_logs"),
}
NAMES: Final = {table: name for name, tables in TABLES.items() for table in tables}
COLUMNS: Final = {
    "level": "level",
    "severity": "parsed.error_severity",
    "code": "parsed.sql_state_code",
    "query": "parsed.query",
    "status": "response.status_code",
    "method": "request.method",
    "path": "request.path",
    "function": "function_id",
}
"""Columns of the answer and the keys of `log_attributes` that they come from."""
_REQUESTS: Final = frozenset({"edge_logs", "function_edge_logs"})
_SEVERE: Final = ("ERROR", "FATAL", "PANIC")
_LOUD: Final = ("error", "fatal", "panic", "critical")
_WARNED: Final = ("warning", "warn")
_STATUS: Final = "toInt32OrZero(log_attributes['response.status_code'])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which rows. `status` is a whole code or a class (`5xx`), `function` the id of a function."""

    source: Source = "any"
    level: Level = "error"
    text: str = ""
    status: tuple[str, ...] = ()
    path: str = ""
    function: str = ""


def query_for(wish: Wish, limit: int) -> str:
    """The newest rows that are wished for."""
    tables = [table for tables in TABLES.values() for table in tables]
    if wish.source != "any":
        tables = list(TABLES[wish.source])
    if wish.status or wish.path:
        tables = [table for table in tables if table in _REQUESTS]
    conditions = [f"source in ({_listed(tables)})"]
    if wish.level != "all":
        conditions.append(f"({' or '.join(_bad(table, wish.level) for table in tables)})")
    if wish.function:
        conditions.append(f"log_attributes['function_id'] = {quoted(wish.function)}")
    if wish.status:
        conditions.append(f"({' or '.join(map(_status, wish.status))})")
    for name, wanted in (("event_message", wish.text), ("log_attributes['request.path']", wish.path)):
        conditions += [f"position(lower({name}), {quoted(part.lower())}) > 0" for part in _parts(wanted)]
    columns = ", ".join(f"log_attributes['{key}'] as {name}" for name, key in COLUMNS.items())
    return (
        f"select timestamp, event_message, source, {columns} from logs where {' and '.join(conditions)} "  # noqa: S608  every value is quoted, every name is ours
        f"order by timestamp desc limit {int(limit)}"
    )


def can_have_requests(source: Source) -> bool:
    """Whether lines of this source have a status and a path."""
    return source == "any" or any(table in _REQUESTS for table in TABLES[source])


def quoted(text: str) -> str:
    """A ClickHouse literal; control characters cannot be searched for."""
    clean = re.sub(r"[\x00-\x1f\x7f]", " ", text)
    return "'" + clean.replace("\\", "\\\\").replace("'", "\\'") + "'"


def without_values(sql: str) -> str:
    """A statement without its literals: `select ... where id = ?`."""
    bare = re.sub(r"'(?:[^']|'')*'|\$\$.*?\$\$", "?", sql, flags=re.DOTALL)
    return re.sub(r"(?<![\w$.\"])[-+]?\d+(?:\.\d+)?(?![\w\"])", "?", bare)


def _listed(values: Sequence[str]) -> str:
    return ", ".join(map(quoted, values))


def _parts(wanted: str) -> list[str]:
    """What stands between wildcards; never a comment's sign, which a gateway may cut out of literals too."""
    return [part for part in re.split(r"\*|--|/(?=\*)|;", wanted) if part.strip()]


def _status(code: str) -> str:
    if code.endswith("xx"):
        low = int(code[0]) * 100
        return f"({_STATUS} >= {low} and {_STATUS} < {low + 100})"
    return f"{_STATUS} = {int(code)}"


def _bad(table: str, level: str) -> str:
    """What counts as an error in a table: each writes it its own way."""
    warned = level == "warning"
    if table in _REQUESTS:
        return f"(source = '{table}' and {_STATUS} >= {400 if warned else 500})"
    if table == "postgres_logs":
        severe = _listed([*_SEVERE, *(("WARNING",) if warned else ())])
        return f"(source = '{table}' and log_attributes['parsed.error_severity'] in ({severe}))"
    loud = _listed([*_LOUD, *(_WARNED if warned else ())])
    return f"(source = '{table}' and log_attributes['level'] in ({loud}))"
