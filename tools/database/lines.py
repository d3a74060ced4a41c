"""Where each statement of a script begins, and how many notices it raised."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tools.database.changes import Change

if TYPE_CHECKING:
    from psycopg.errors import Diagnostic

    from tools.database.connection import Session

_BLANK: Final = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*[\s\S]*?\*/)+")


def first_lines(sql: str, changes: Sequence[Change]) -> list[int]:
    """The line (from 1) of each statement's first word; comments before it do not count."""
    lines: list[int] = []
    at = 0
    for change in changes:
        start = sql.index(change.piece.text, at)
        blank = _BLANK.match(change.piece.text)
        lines.append(sql.count("\n", 0, start + (blank.end() if blank else 0)) + 1)
        at = start + len(change.piece.text)
    return lines


@contextmanager
def counting(session: Session, notices: list[str]) -> Generator[None]:
    """Append the severity of each notice: their text may quote values and is dropped."""

    def note(notice: Diagnostic) -> None:
        notices.append(notice.severity_nonlocalized or "NOTICE")

    session.connection.add_notice_handler(note)
    try:
        yield
    finally:
        session.connection.remove_notice_handler(note)
