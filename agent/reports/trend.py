"""Reports saved over time as one trend: counts by level, what came and what went at each step."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.reports.markdown import plain
from tools.errors import InvalidInput
from tools.findings import Level
from tools.review import Summary

BARS: Final = "▁▂▃▄▅▆▇█"


class Seen(BaseModel):
    """One finding of a saved report."""

    model_config = ConfigDict(frozen=True)

    cache_key: str
    rule: str
    level: Level
    object: str


class _Run(BaseModel):
    at: datetime
    version: str = ""
    scope: dict[str, Any] = {}


class _Proof(BaseModel):
    answer: str


class _Report(BaseModel):
    """What of a JSON report the trend reads; the rest is ignored."""

    target: str
    findings: tuple[Seen, ...]
    summary: Summary
    run: _Run | None = None
    proof: _Proof | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One report. `at` is its own time, or its file's where it does not say (`dated` is False)."""

    file: str
    at: datetime
    dated: bool
    target: str
    summary: Summary
    findings: tuple[Seen, ...]
    answer: str
    scope: str
    version: str


@dataclass(frozen=True, slots=True)
class Step:
    """A report after the one before it. `objection` says why the two cannot be compared."""

    point: Point
    new: tuple[Seen, ...] = ()
    fixed: tuple[Seen, ...] = ()
    objection: str = ""


def read(path: Path) -> Point:
    """One report. Raises InvalidInput when the file is none."""
    try:
        report = _Report.model_validate_json(path.read_text(encoding="utf-8"))
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror}).") from None
    except (ValidationError, UnicodeDecodeError):
        raise InvalidInput(
            f"{path} is not a saved report.",
            hint="Save one with `sergei review --format json --output FILE`.",
        ) from None
    at = report.run.at if report.run else changed
    return Point(
        file=path.name,
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        dated=report.run is not None,
        target=report.target,
        summary=report.summary,
        findings=report.findings,
        answer=report.proof.answer if report.proof else "",
        scope=json.dumps(report.run.scope, sort_keys=True) if report.run else "",
        version=report.run.version if report.run else "",
    )


def steps(points: Iterable[Point]) -> list[Step]:
    """The reports in the order of their time, each against the one before."""
    ordered = sorted(points, key=lambda point: (point.at, point.file))
    found: list[Step] = []
    for number, point in enumerate(ordered):
        found.append(_step(ordered[number - 1], point) if number else Step(point))
    return found


def _step(before: Point, now: Point) -> Step:
    if before.target != now.target:
        return Step(now, objection="another target")
    if before.scope and now.scope and before.scope != now.scope:
        return Step(now, objection="looked for other things")
    old = {one.cache_key for one in before.findings}
    present = {one.cache_key for one in now.findings}
    return Step(
        now,
        new=tuple(one for one in now.findings if one.cache_key not in old),
        fixed=tuple(one for one in before.findings if one.cache_key not in present),
    )


def spark(values: Sequence[int]) -> str:
    """The values as a row of bars from nothing to the largest."""
    top = max(values, default=0)
    return "".join(BARS[round(value / top * (len(BARS) - 1)) if top else 0] for value in values)


def _cells(step: Step) -> tuple[str, ...]:
    point, summary = step.point, step.point.summary
    change = ("", "") if step.objection else (f"+{len(step.new)}", f"-{len(step.fixed)}")
    when = point.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") + ("" if point.dated else "*")
    counts = (summary.error, summary.warn, summary.info, summary.suppressed)
    return (when, *map(str, counts), *change, point.answer, step.objection or point.file)


_HEAD: Final = ("when (UTC)", "error", "warn", "info", "suppressed", "new", "fixed", "proof", "report")


def _table(found: Sequence[Step]) -> list[tuple[str, ...]]:
    """Rows with a head; the columns that hold nothing are left out."""
    rows = [_cells(step) for step in found]
    rows[0] = (*rows[0][:5], "", "", *rows[0][7:])
    used = [i for i in range(len(_HEAD)) if any(row[i] not in ("", "0") for row in rows) or i < 4]
    return [tuple(row[i] for i in used) for row in (_HEAD, *rows)]


def _lines(found: Sequence[Step]) -> Iterable[str]:
    """The two rows of bars, and what changed last."""
    summaries = [step.point.summary for step in found]
    errors = [summary.error for summary in summaries]
    every = [summary.error + summary.warn + summary.info for summary in summaries]
    yield f"errors  {spark(errors)}  {errors[0]} to {errors[-1]}"
    yield f"all     {spark(every)}  {every[0]} to {every[-1]}"


def _last(found: Sequence[Step]) -> Iterable[tuple[str, Seen]]:
    yield from (("new", one) for one in found[-1].new)
    yield from (("fixed", one) for one in found[-1].fixed)


def upgrades(found: Sequence[Step]) -> Iterable[str]:
    """Where another Sergei made the report: what is new there may be his."""
    for before, now in pairwise(step.point for step in found):
        if before.version != now.version and before.version and now.version:
            yield (
                f"{now.file} was made by Sergei {now.version}, the one before by {before.version}: "
                "what is new there may be new rules."
            )


def text(found: Sequence[Step]) -> str:
    """For a terminal."""
    rows = _table(found)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    numbers = {"error", "warn", "info", "suppressed", "new", "fixed"}
    lines = [
        f"Trend of {found[-1].point.target} over {len(found)} report{'' if len(found) == 1 else 's'}",
        "",
    ]
    for row in rows:
        cells = [
            cell.rjust(width) if head in numbers else cell.ljust(width)
            for cell, width, head in zip(row, widths, rows[0], strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    lines += ["", *_lines(found)]
    changes = [f"  {word:<5}  {one.level:<5}  {one.object}  {one.rule}" for word, one in _last(found)]
    lines += ["", "In the last step:", *changes] if changes else []
    lines += [f"\n{note}" for note in upgrades(found)]
    if any(not step.point.dated for step in found):
        lines += ["", "* The report does not say when it was made: the time of its file."]
    return "\n".join(lines)


def markdown(found: Sequence[Step]) -> str:
    """For a wiki or a weekly note."""
    head, *rows = _table(found)
    lines = [f"# Trend of {plain(found[-1].point.target)}", "", f"| {' | '.join(head)} |"]
    lines += ["|" + "---|" * len(head)]
    lines += [f"| {' | '.join(plain(cell) for cell in row)} |" for row in rows]
    lines += ["", "```text", *_lines(found), "```"]
    lines += [f"\n{plain(note)}" for note in upgrades(found)]
    changes = [f"- {word}: {one.level} {plain(one.object)} `{one.rule}`" for word, one in _last(found)]
    return "\n".join([*lines, *(["", "In the last step:", "", *changes] if changes else [])])


def document(found: Sequence[Step]) -> str:
    """For a program."""
    steps_ = [
        {
            "file": step.point.file,
            "at": step.point.at.isoformat(),
            "target": step.point.target,
            "summary": step.point.summary.model_dump(),
            "answer": step.point.answer or None,
            "new": [one.model_dump(mode="json") for one in step.new],
            "fixed": [one.model_dump(mode="json") for one in step.fixed],
            "objection": step.objection or None,
        }
        for step in found
    ]
    return json.dumps({"steps": steps_}, indent=2, ensure_ascii=False)
