"""How a function does after a deploy against how it did before: calls, errors, boots, from the logs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from tools.errors import RemoteError, SergeiError
from tools.wording import span

if TYPE_CHECKING:
    from tools.resources import Resources

Verdict = Literal["fine", "worse", "inconclusive"]
_BEFORE: Final = timedelta(minutes=30)
_ID: Final = re.compile(r"[0-9A-Za-z-]{8,64}")
_LEAST: Final = 5
"""Calls below which nothing is concluded."""
_CALLS: Final = (
    "select log_attributes['response.status_code'] as status, count() as n from logs"
    " where source = 'function_edge_logs' and log_attributes['function_id'] = '{id}'"
    " group by status order by n desc limit 50"
)
_LINES: Final = (
    "select log_attributes['event_type'] as event, log_attributes['level'] as level, count() as n from logs"
    " where source = 'function_logs' and log_attributes['function_id'] = '{id}'"
    " group by event, level order by n desc limit 50"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one window. `boots` are starts that failed, `errors` lines of level error."""

    minutes: float
    calls: int = 0
    failed: int = 0
    errors: int = 0
    boots: int = 0

    @property
    def share(self) -> float:
        """The share of calls that were answered with 5xx."""
        return self.failed / self.calls if self.calls else 0.0

    @property
    def words(self) -> str:
        """In one line."""
        return (
            f"{self.calls} calls in {self.minutes:.0f} min, {self.failed} answered 5xx ({self.share:.1%}),"
            f" {self.errors} lines of level error, {self.boots} failed starts"
        )


async def read_figures(resources: Resources, function_id: str, start: datetime, end: datetime) -> Figures:
    """The figures of a window; whole minutes, as the logs are cut."""
    if not _ID.fullmatch(function_id):
        raise RemoteError("Supabase gave the function no id that a query could name.")
    supabase, minutes = resources.supabase, (end - start).total_seconds() / 60
    calls = await supabase.query_logs(_CALLS.format(id=function_id), start=start, end=end)
    lines = await supabase.query_logs(_LINES.format(id=function_id), start=start, end=end)
    return Figures(
        minutes,
        calls=sum(_number(row["n"]) for row in calls),
        failed=sum(_number(row["n"]) for row in calls if str(row.get("status")).startswith("5")),
        errors=sum(_number(row["n"]) for row in lines if str(row.get("level")) == "error"),
        boots=sum(_number(row["n"]) for row in lines if str(row.get("event")) == "BootFailure"),
    )


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0


def judge(before: Figures, after: Figures) -> tuple[Verdict, str]:
    """The verdict, and why. A few calls prove nothing either way, a failed start does."""
    if after.boots > before.boots:
        return "worse", "it fails to start"
    if after.failed >= 3 and after.share > max(2 * before.share, before.share + 0.05):
        return "worse", "more calls are answered with 5xx"
    rate = before.errors / before.calls if before.calls else 0.0
    if after.calls and after.errors >= 5 and after.errors / after.calls > max(3 * rate, 0.2):
        return "worse", "more errors are logged for each call"
    if after.calls < _LEAST:
        return "inconclusive", f"only {after.calls} calls came, which prove nothing"
    return "fine", "no worse than before"


async def watch(
    resources: Resources, function_id: str, deployed: datetime, minutes: int
) -> tuple[Verdict, str]:
    """Wait, compare, and say it in words. The minute of the deploy itself counts for neither side."""
    start = deployed.replace(second=0, microsecond=0) + timedelta(minutes=1)
    end = start + timedelta(minutes=minutes)
    while (left := (end - resources.now()).total_seconds()) > 0:
        resources.progress(f"watching the new version, {span(left)} left")
        await resources.pause(min(60.0, left))
    first = deployed.replace(second=0, microsecond=0)
    try:
        after = await read_figures(resources, function_id, start, end)
        before = await read_figures(resources, function_id, first - _BEFORE, first)
    except SergeiError as error:
        return "inconclusive", f"the logs could not be read: {error.message}"
    verdict, why = judge(before, after)
    return verdict, f"{why}. After: {after.words}. Before: {before.words}"
