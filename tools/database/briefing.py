"""What is told about a change before it runs: per statement what it touches, its locks, and what is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tools.database.changes import Change
from tools.database.dependents import cascade
from tools.database.reach import Name, inspect
from tools.database.standing import Standing, consequences, sizes_of

if TYPE_CHECKING:
    from tools.database.connection import Session


class Briefing(NamedTuple):
    """Lines about what is touched, sentences about what follows, and how big it is now."""

    touches: tuple[str, ...]
    consequences: tuple[str, ...]
    sizes: tuple[str, ...]


async def brief(
    session: Session, changes: Sequence[Change], standing: Mapping[Name, Standing], lines: Sequence[int]
) -> Briefing:
    """The lines and sentences for all statements, in order."""
    touches: list[str] = []
    said: list[str] = []
    for change, line in zip(changes, lines, strict=True):
        touches.append(_touch(change, line if len(changes) > 1 else 0))
        said += [
            change.consequence,
            *consequences(change, standing),
            await cascade(session, change.piece.node),
        ]
    if len(changes) > 1:
        said.append(f"The {len(changes)} statements run in one transaction: all of them or none.")
    sizes = dict.fromkeys(sentence for change in changes for sentence in sizes_of(change, standing))
    return Briefing(tuple(touches), tuple(sentence for sentence in said if sentence), tuple(sizes))


def _touch(change: Change, line: int) -> str:
    tables = ", ".join(map(str, change.tables)) or "no table by name"
    where = f"line {line}: " if line else ""
    locks = ", ".join(map(str, change.locks)) or "no lock on a table"
    said = f"{where}{change.command} on {tables}: lock {locks}" if change.locks else (
        f"{where}{change.command} on {tables}: {locks}"
    )  # fmt: skip
    calls = sorted(f"{name}()" for name in inspect(change.piece.node).functions)
    said += f"; calls {', '.join(calls[:8])}" if calls else ""
    if change.alone:
        said += "; OUTSIDE a transaction, so a failure may leave an invalid index"
    return said + (f"; IRREVERSIBLE: {change.lost}" if change.lost else "")
