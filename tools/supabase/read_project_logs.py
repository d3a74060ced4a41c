"""The tool read_project_logs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from tools.errors import InvalidInput, NotFound
from tools.logs.fingerprints import Entry
from tools.logs.report import Log, seen, summarized
from tools.logs.windows import SAID, Window, parse_window
from tools.partial import Partial
from tools.redaction import Redactor
from tools.registry import Effect, Params, tool
from tools.resources import Resources
from tools.supabase.api_functions import LONGEST_WINDOW
from tools.supabase.log_queries import (
    NAMES,
    Level,
    Source,
    Wish,
    can_have_requests,
    query_for,
    without_values,
)
from tools.supabase.targets import find_project
from tools.wording import clipped

if TYPE_CHECKING:
    from tools.supabase.client import SupabaseClient

RETENTION: Final = timedelta(days=7)
"""At most seven queries: only 30 a minute are allowed."""
_SHAPES: Final = Redactor(strict=True)
_REQUEST: Final = re.compile(r"(?P<method>[A-Z]{3,7}) \| (?P<status>\d{3}) \| (?P<path>/\S{0,500})")
_STATEMENT: Final = 160


class ReadProjectLogs(Params):
    """Arguments of read_project_logs."""

    source: Source = Field(
        default="any", description="api: requests through the gateway; data_api: PostgREST."
    )
    window: str = Field(default="1h", max_length=100, description=SAID + " At most 7 days.")
    level: Literal["usual", "error", "warning", "all"] = Field(
        default="usual", description="That level and worse. usual: errors; all where another filter is given."
    )
    function: str = Field(default="", max_length=100, description="Only this Edge Function, by its slug.")
    text: str = Field(
        default="", max_length=200, description="Only lines with this; `*` stands for anything, case aside."
    )
    status: str = Field(
        default="",
        pattern=r"^([1-5]([0-9]{2}|xx)(,[1-5]([0-9]{2}|xx))*)?$",
        description="Requests with this status: `500`, or `5xx,404`.",
    )
    path: str = Field(default="", max_length=200, description="Requests with this in their path.")
    one_by_one: int = Field(
        default=0, ge=0, le=200, description="So many of the newest lines as they came, instead of groups."
    )
    most: int = Field(default=500, ge=1, le=1000, description="Lines to read at most, newest first.")


@tool(Effect.READ, open_world=True)
async def read_project_logs(params: ReadProjectLogs, resources: Resources) -> Log:
    """Read the Supabase project's logs: without arguments, the errors of the last hour, alike ones as one.

    Postgres, the API gateway, Edge Functions, Auth, Storage, Realtime, PostgREST and the pooler. What may be
    a person's in a line is shown as a pseudonym, and filters do not look behind it. Supabase allows 30 such
    questions a minute: ask once, widely. Logs of services on Render are read with read_logs.
    """
    supabase, part = resources.supabase, Partial()
    ref = await find_project(supabase)
    if (params.status or params.path) and not can_have_requests(params.source):
        raise InvalidInput(f"Lines of {params.source} have no status and no path: use api or functions.")
    if params.function and params.source not in {"any", "functions"}:
        raise InvalidInput("`function` goes with source functions.")
    window = parse_window(params.window, resources.now(), longest=RETENTION)
    slugs = await _slugs(supabase, ref, params, part)
    level, source = _level(params), "functions" if params.function else params.source
    wish = Wish(
        source=source,
        level=level,
        text=params.text,
        status=tuple(filter(None, params.status.split(","))),
        path=params.path,
        function=next((key for key, slug in slugs.items() if slug == params.function), ""),
    )
    rows = await _rows(supabase, ref, wish, window, params.most, part)
    entries = [entry for row in rows if (entry := _entry(row, slugs)) and _keeps(entry, params)]
    groups, lines, unshown = summarized(entries, one_by_one=params.one_by_one)
    return Log(
        of=f"Supabase project {ref}",
        window=window.label,
        asked=_asked(params, level),
        read=len(entries),
        cut=len(rows) >= params.most,
        groups=groups,
        lines=lines,
        unshown=unshown,
        note=part.note(),
        read_at=resources.now(),
    )


async def _rows(
    supabase: SupabaseClient, ref: str, wish: Wish, window: Window, most: int, part: Partial
) -> list[Mapping[str, Any]]:
    """The newest rows, day by day backwards, until there are enough."""
    rows, end = list[Mapping[str, Any]](), window.end
    while end > window.start and len(rows) < most:
        start = max(window.start, end - LONGEST_WINDOW)
        asked = supabase.query_logs(query_for(wish, most - len(rows)), start=start, end=end, project=ref)
        found = await part(f"logs before {end:%m-%d %H:%M}", asked, None)
        if found is None:
            break
        # Supabase rounds a window to whole minutes: the ends are cut here.
        rows += [row for row in found if (at := _moment(row)) is not None and start <= at < end]
        end = start
    return rows


async def _slugs(
    supabase: SupabaseClient, ref: str, params: ReadProjectLogs, part: Partial
) -> dict[str, str]:
    """Slugs by id, where lines of functions may come. Raises NotFound for a function that is not there."""
    if params.source not in {"any", "functions"}:
        return {}
    known = {each.id: each.slug for each in await part("functions", supabase.list_functions(ref), [])}
    if params.function and params.function not in known.values() and not part.unread:
        listed = ", ".join(known.values()) or "none"
        raise NotFound(f"There is no Edge Function {params.function!r}.", hint=f"There are: {listed}.")
    return known


def _entry(row: Mapping[str, Any], slugs: Mapping[str, str]) -> Entry | None:
    """A row as a log line: requests as method, path and status, statements of Postgres without values."""
    at = _moment(row)
    if at is None:
        return None

    def value(name: str) -> str:
        return str(row.get(name) or "")

    table, text, status = value("source"), value("event_message"), value("status")
    written = _REQUEST.match(text)
    about = ""
    if written:
        about = f"{written['method']} {written['path'].partition('?')[0]} {written['status']}"
        status = status or written["status"]
    elif value("method") and value("path"):
        about = f"{value('method')} {value('path')} {status}"
    elif statement := value("query"):
        text = f"{text} · {clipped(without_values(statement), _STATEMENT)}"
    if value("code") and not about:
        text = f"{value('code')} {text}"
    slug = slugs.get(value("function"), "")
    level = value("severity").lower() or value("level").lower()
    return Entry(
        at=at,
        text="" if about else text,
        level=level
        or ("error" if status.startswith("5") else "warning" if status.startswith("4") else "info"),
        source=f"function {slug}" if slug else NAMES.get(table, table),
        about=about,
    )


def _keeps(entry: Entry, params: ReadProjectLogs) -> bool:
    """Whether what may be shown of the line has what was looked for."""
    if params.text and not seen(f"{entry.about} {entry.text}", params.text, _SHAPES):
        return False
    return not params.path or seen(entry.about, params.path, _SHAPES, path=True)


def _moment(row: Mapping[str, Any]) -> datetime | None:
    """UTC, written without saying so; older answers had microseconds since 1970."""
    stamp = row.get("timestamp")
    try:
        if isinstance(stamp, int | float):
            return datetime.fromtimestamp(stamp / 1e6 if stamp > 1e14 else stamp / 1e3, UTC)
        at = datetime.fromisoformat(str(stamp))
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _level(params: ReadProjectLogs) -> Level:
    if params.level != "usual":
        return params.level
    return "all" if params.text or params.status or params.path else "error"


def _asked(params: ReadProjectLogs, level: str) -> str:
    words: Sequence[str] = [
        {"error": "errors", "warning": "warnings and errors", "all": "all levels"}[level],
        f"source {params.source}" if params.source != "any" else "",
        f"function {params.function}" if params.function else "",
        f"with {params.text!r}" if params.text else "",
        f"status {params.status}" if params.status else "",
        f"path {params.path}" if params.path else "",
    ]
    return ", ".join(filter(None, words))
