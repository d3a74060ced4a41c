"""The tool read_logs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import Field

from tools.errors import InvalidInput
from tools.logs.fingerprints import Entry
from tools.logs.report import Log, summarized
from tools.logs.windows import SAID, parse_window
from tools.partial import Partial
from tools.registry import Effect, Params, tool
from tools.render.log_lines import Wanted, follow_lines, log_targets, read_lines
from tools.render.targets import Target
from tools.resources import Resources
from tools.wording import counted

ERRORS: Final = ("error", "critical", "fatal", "alert", "emergency", "panic")
WARNINGS: Final = (*ERRORS, "warning", "warn")
TROUBLE: Final = r"/(?i)(error|exception|fatal|panic|traceback|unhandled)\b/"
"""What is looked for where a program writes no levels."""
RETENTION: Final = timedelta(days=30)
_FOLLOWED: Final = 40
_NAMED: Final = 4


class ReadLogs(Params):
    """Arguments of read_logs."""

    services: tuple[str, ...] = Field(
        default=(),
        max_length=20,
        description="Names or ids of services, Postgres or Key Value; none: every service of the project.",
    )
    window: str = Field(default="1h", max_length=100, description=SAID)
    level: Literal["usual", "error", "warning", "all"] = Field(
        default="usual", description="That level and worse. usual: errors; all where another filter is given."
    )
    type: Literal["any", "app", "request", "build"] = Field(default="any", description="Kind of log.")
    text: str = Field(
        default="", max_length=200, description="Only lines with this; `*` stands for anything, case aside."
    )
    status: str = Field(
        default="",
        pattern=r"^([1-5][0-9x]{2}(,[1-5][0-9x]{2})*)?$",
        description="Requests with this status: `500`, or `5xx,404`.",
    )
    path: str = Field(
        default="", max_length=200, description="Requests of this path; `*` stands for anything."
    )
    instance: str = Field(default="", max_length=100, description="Only this instance.")
    job: str = Field(
        default="", max_length=60, description="A one-off job's id; `services` names its service."
    )
    one_by_one: int = Field(
        default=0, ge=0, le=200, description="So many of the newest lines as they came, instead of groups."
    )
    most: int = Field(default=1000, ge=1, le=5000, description="Lines to read at most, newest first.")
    follow: int = Field(
        default=0, ge=0, le=120, description="Wait so many seconds for new lines instead of reading old ones."
    )


@tool(Effect.READ, open_world=True)
async def read_logs(params: ReadLogs, resources: Resources) -> Log:
    """Read logs on Render: without arguments, the errors of the last hour, those that say the same as one.

    Each group has its count, first and last time, and its newest line with the stack frame in the project's
    own code. What may be a person's in a line is shown as a pseudonym, and filters do not look behind it.
    For Postgres, Edge Functions or Auth on Supabase use read_project_logs; for figures, read_metrics.
    """
    render, part = resources.render, Partial()
    targets = await log_targets(render, params.services, params.job)
    level = _level(params)
    wanted, asked = _wanted(params, level), _asked(params, level)
    if params.follow:
        since = resources.now()
        entries, cut = await follow_lines(resources, targets, wanted, params.follow)
        window = f"for {params.follow} s from {since:%H:%M:%S} UTC on"
        return _log(resources, params.one_by_one or _FOLLOWED, targets, asked, window, entries, cut, "")
    window = parse_window(params.window, resources.now(), longest=RETENTION)
    entries, cut = await read_lines(render, targets, wanted, window, most=params.most, part=part)
    if not entries and level == "error" and not part.unread:
        spoken = Wanted({"kind": ["app"], "text": [TROUBLE]})
        entries, cut = await read_lines(render, targets, spoken, window, most=params.most, part=part)
        asked = "no line has the level error; these speak of one" if entries else asked
    return _log(resources, params.one_by_one, targets, asked, window.label, entries, cut, part.note())


def _log(
    resources: Resources,
    one_by_one: int,
    targets: Sequence[Target],
    asked: str,
    window: str,
    entries: Sequence[Entry],
    cut: bool,
    note: str,
) -> Log:
    groups, lines, unshown = summarized(entries, one_by_one=one_by_one)
    names = [target.name for target in targets]
    return Log(
        of=", ".join(names) if len(names) <= _NAMED else counted(len(names), "service"),
        window=window,
        asked=asked,
        read=len(entries),
        cut=cut,
        groups=groups,
        lines=lines,
        unshown=unshown,
        note=note,
        read_at=resources.now(),
    )


def _level(params: ReadLogs) -> Literal["error", "warning", "all"]:
    if params.level != "usual":
        return params.level
    narrowed = params.text or params.status or params.path or params.job or params.follow
    return "all" if narrowed or params.type in {"build", "request"} else "error"


def _wanted(params: ReadLogs, level: str) -> Wanted:
    """Render's filters. `/.../` would be a regular expression there, so a last slash becomes a wildcard."""
    filters: dict[str, Any] = {}
    if level != "all":
        filters["level"] = ERRORS if level == "error" else WARNINGS
    if params.type != "any":
        filters["kind"] = [params.type]
    if params.text:
        filters["text"] = [_no_expression(params.text)]
    if params.path:
        filters["path"] = [_no_expression(params.path)]
    if params.status:
        filters["status_code"] = [each.replace("x", "*") for each in params.status.split(",")]
    if params.instance:
        filters["instance"] = [params.instance]
    if (params.status or params.path) and params.type in {"app", "build"}:
        raise InvalidInput("Only request logs have a status and a path: leave `type` out.")
    return Wanted(filters, params.text, params.path)


def _no_expression(text: str) -> str:
    return f"{text[:-1]}*" if len(text) > 1 and text[0] == text[-1] == "/" else text


def _asked(params: ReadLogs, level: str) -> str:
    words = [
        {"error": "errors", "warning": "warnings and errors", "all": "all levels"}[level],
        f"type {params.type}" if params.type != "any" else "",
        f"with {params.text!r}" if params.text else "",
        f"status {params.status}" if params.status else "",
        f"path {params.path}" if params.path else "",
        f"instance {params.instance}" if params.instance else "",
    ]
    return ", ".join(filter(None, words))
