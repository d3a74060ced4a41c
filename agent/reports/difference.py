"""A difference of access as text for a terminal and as SARIF for code scanning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from agent.reports.sarif import sarif as sarif_of
from tools.findings import Finding, Level, Rule
from tools.review import Coverage, Review, Summary
from tools.rls.diffing.change import CellChange, Change, Direction
from tools.rls.diffing.difference import Difference, told_apart
from tools.rls.wording import shown

_LEVELS: Final = {
    Direction.WIDENS: Level.ERROR,
    Direction.CHANGES: Level.WARN,
    Direction.NARROWS: Level.INFO,
    Direction.NEUTRAL: Level.INFO,
}
_DOCS: Final = {
    Direction.WIDENS: ("access_widens", "Somebody can do more than before"),
    Direction.CHANGES: ("access_changes", "Who can do what changed, and neither side includes the other"),
    Direction.NARROWS: ("access_narrows", "Somebody can do less than before"),
    Direction.NEUTRAL: ("access_neutral", "A change that opens and closes nothing"),
}
_CELLS: Final = 6


def text(found: Difference) -> str:
    """Every change with its direction, its reason and what it reaches."""
    lines = [f"{shown(found.base)} -> {shown(found.head)}", shown(found.sentence()), ""]
    for change in found.changes:
        lines += _change(change)
    rest = found.unexplained
    if rest:
        lines += ["Access that changed along with it:", *(f"  {_cell(cell)}" for cell in rest), ""]
    lines += [f"Not compared: {shown(gap.what)} ({shown(gap.why)})" for gap in found.not_examined]
    return "\n".join(lines).rstrip()


def _change(change: Change) -> Iterable[str]:
    yield f"{change.direction.upper():8} {shown(change.sentence)}"
    if change.reason:
        yield f"         {shown(change.reason)}"
    before, after = told_apart(change.before, change.after)
    if before:
        yield f"         - {shown(before)}"
    if after:
        yield f"         + {shown(after)}"
    for cell in change.reaches[:_CELLS]:
        yield f"         {shown(cell)}"
    if len(change.reaches) > _CELLS:
        yield f"         and {len(change.reaches) - _CELLS} more"
    yield ""


def _cell(cell: CellChange) -> str:
    return f"{cell.direction}: {shown(cell.text)}"


def sarif(found: Difference, version: str) -> str:
    """Changes that widen are errors, undecided ones warnings, the rest notes."""
    findings = [
        Finding(
            rule=_DOCS[change.direction][0],
            level=_LEVELS[change.direction],
            domain="rls",
            object=shown(change.object),
            message=shown(f"{change.sentence} {change.reason}".strip()),
            evidence=shown("; ".join(change.reaches[:_CELLS])),
        )
        for change in found.changes
    ]
    review = Review(
        target=found.head,
        findings=findings,
        summary=Summary.of(findings, 0),
        coverage=Coverage(examined=[f"{found.base} -> {found.head}"], not_examined=list(found.not_examined)),
    )
    return sarif_of(review, _rules(), version)


def _rules() -> tuple[Rule[Any], ...]:
    return tuple(
        Rule(
            name,
            title,
            _LEVELS[direction],
            "rls",
            lambda _: (),
            f"{title}.\n\nCompared by `sergei rls diff`.",
        )
        for direction, (name, title) in _DOCS.items()
    )
