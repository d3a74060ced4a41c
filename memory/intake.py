"""How files come into the index: what differs from its rows is prepared and taken in."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from memory import files
from memory.preparing import Batch, Change, Colleagues, Part, digest_of, read

# One statement takes a whole batch as JSON, which is how it comes from another process.
_NEW_FILES = """
INSERT INTO files (row, root, path, signature, digest, entry_id, same, near)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
FROM json_each(?)
"""
_NEW_TEXTS = """
INSERT INTO texts (rowid, title, tags, scope, names, failure, body)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
FROM json_each(?)
"""
_NEW_LINKS = """
INSERT INTO links (row, old_id, new_id, retired)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)
"""
_ONE = "SELECT row, signature, digest FROM files WHERE root = ? AND path = ?"
_AT_ONCE = 500
_MANY = 2_000


def compare(connection: sqlite3.Connection, root: str, folder: str) -> list[Change]:
    """What differs between the rows and the files of one category folder."""
    rows = connection.execute(
        "SELECT path, row, signature, digest FROM files WHERE root = ? AND path > ? AND path < ?",
        (root, f"{folder}/", f"{folder}0"),  # '0' follows '/'
    )
    known: dict[str, tuple[int, str, str]] = {
        path: (row, signature, digest) for path, row, signature, digest in rows
    }
    changes: list[Change] = []
    for found in files.list_folder(Path(root), folder):
        row, signature, digest = known.pop(found.path, (None, None, None))
        if signature != found.signature:
            changes.append(Change(root, found.path, found, row, digest))
    changes += [Change(root, path, None, row, digest) for path, (row, _, digest) in known.items()]
    return changes


def compare_one(connection: sqlite3.Connection, root: str, path: str) -> Change | None:
    """What differs between one file and its row, or None when nothing does."""
    found = files.listed(root, path)
    row, signature, digest = connection.execute(_ONE, (root, path)).fetchone() or (None, None, None)
    if found is None:
        return None if row is None else Change(root, path, None, row, digest)
    if signature == found.signature:
        return None
    if (
        signature == ""
        and not found.settled(time.time_ns())
        and digest_of(read(f"{root}/{path}")[0]) == digest
    ):
        return None  # it is looked at again when its time stamp can be relied on
    return Change(root, path, found, row, digest)


def take_in(connection: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Bring the rows of `changes` up to date. Runs inside a transaction."""
    last: int = connection.execute("SELECT coalesce(max(row), 0) FROM files").fetchone()[0]
    parts = [
        Part(changes[start : start + _AT_ONCE], last + start) for start in range(0, len(changes), _AT_ONCE)
    ]
    many = len(changes) >= _MANY
    with Colleagues(parts if many else []) as colleagues:
        for number, part in enumerate(parts):
            _write(connection, colleagues.prepared(number, part))
    if many:  # else one of the next writes would have to merge all of that
        connection.execute("INSERT INTO texts (texts) VALUES ('optimize')")


def _write(connection: sqlite3.Connection, batch: Batch) -> None:
    for row in batch.gone:
        forget(connection, row)
    connection.executemany("UPDATE files SET signature = ? WHERE row = ?", batch.settled)
    for statement, rows in (
        (_NEW_FILES, batch.files),
        (_NEW_TEXTS, batch.texts),
        (_NEW_LINKS, batch.links),
    ):
        connection.execute(statement, (rows,))


def forget(connection: sqlite3.Connection, row: int) -> None:
    """Drop a file's row and all that came from it."""
    connection.execute("DELETE FROM texts WHERE rowid = ?", (row,))
    connection.execute("DELETE FROM links WHERE row = ?", (row,))
    connection.execute("DELETE FROM files WHERE row = ?", (row,))
