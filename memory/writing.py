"""The one place where a file of a bank changes: first the journal, then the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from memory import files, history_journal
from memory.entry import Entry
from memory.errors import BankConflict, BankUnavailable, InvalidEntry


@dataclass(frozen=True, slots=True)
class Note:
    """What the history says about a write; `may_keep` says whether it may hold a copy of a text."""

    who: str
    how: str
    may_keep: Callable[[str], bool]


def write(root: Path, path: Path, entry: Entry, before: bytes | None, content: bytes, note: Note) -> None:
    """Put `content`, which makes `entry`, in the place of `before`. Only under the bank's lock.

    Raises InvalidEntry when it is too long, BankConflict when the file is not `before` any more, and
    BankUnavailable for a folder that is a link.
    """
    if len(content) > files.MAX_FILE:
        raise InvalidEntry(
            f"The entry would have {len(content)} bytes; it has at most {files.MAX_FILE}. "
            "Supersede it by a new one that sums it up."
        )
    for folder in (
        path.parent,
        root / files.HISTORY_NAME,
        history_journal.journal_path(root, entry.id).parent,
    ):
        if folder.is_symlink():
            raise BankUnavailable(f"{folder} is a symbolic link, which is not followed; put a folder there.")
    numbers: list[int] = []

    def record() -> None:
        now = history_journal.present(path)
        number = history_journal.note(
            root, entry.id, now=now, after=content, who=note.who, how=note.how, keep=note.may_keep
        )
        numbers.append(number)

    try:
        files.replace(path, expected=before, content=content, scratch=root, record=record)
    except BankConflict:
        for number in numbers:
            history_journal.void(root, entry.id, number)
        raise
