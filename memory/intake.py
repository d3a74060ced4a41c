"""How files come into the index: what differs from its rows is read, parsed and taken in."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from memory import files
from memory.entry import parse_entry
from memory.errors import InvalidEntry
from memory.fingerprint import error_runs
from memory.skim import Skimmed, skim, skimmed
from memory.tokens import identifiers, prominent_text

_INSERT = "INSERT INTO texts (rowid, title, tags, scope, names, failure, body) VALUES (?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Change:
    """A file that differs from its row: as found (None: gone), and the row (None: new) with its digest."""

    root: str
    path: str
    found: files.Found | None
    row: int | None
    digest: str | None


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


def take_in(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Bring the rows of `changes` up to date. Runs inside a transaction."""
    for change in changes:
        _take_in_one(connection, change)


def _take_in_one(connection: sqlite3.Connection, change: Change) -> None:
    if change.found is None:
        forget(connection, change.row)
        return
    looked = time.time_ns()
    content, entry = _read(Path(f"{change.root}/{change.path}"))
    digest = hashlib.sha256(content).hexdigest()
    # Without a signature the file is read again next time, until its time stamp can be relied on.
    signature = change.found.signature if change.found.settled(looked) else ""
    if change.digest == digest:
        connection.execute("UPDATE files SET signature = ? WHERE row = ?", (signature, change.row))
        return
    forget(connection, change.row)
    row = connection.execute(
        "INSERT INTO files (root, path, signature, digest, entry_id) VALUES (?, ?, ?, ?, ?)",
        (change.root, change.path, signature, digest, entry.id if entry else None),
    ).lastrowid
    if entry:
        connection.execute(_INSERT, (row, *columns(entry)))
        if entry.status != "retired" and entry.supersedes:
            links = [(row, old_id, entry.id) for old_id in entry.supersedes]
            connection.executemany("INSERT INTO links (row, old_id, new_id) VALUES (?, ?, ?)", links)


def _read(path: Path) -> tuple[bytes, Skimmed | None]:
    """A file's bytes and its entry; a file that is no entry is known by its bytes alone and never found."""
    try:
        content, text = files.read_text(path)
    except (InvalidEntry, FileNotFoundError):
        return b"", None
    try:
        return content, skim(text) or skimmed(parse_entry(text))
    except InvalidEntry:
        return content, None


def forget(connection: sqlite3.Connection, row: int | None) -> None:
    """Drop a file's row and all that came from it."""
    if row is not None:
        connection.execute("DELETE FROM texts WHERE rowid = ?", (row,))
        connection.execute("DELETE FROM links WHERE row = ?", (row,))
        connection.execute("DELETE FROM files WHERE row = ?", (row,))


def columns(entry: Skimmed) -> tuple[str, str, str, str, str, str]:
    """title, tags, scope, names, failure and body as the index takes them in."""
    scope, tags = " ".join(entry.names), " ".join(entry.tags)
    told = "\n".join((entry.title, entry.body, *entry.notes))
    names = " ".join(identifiers(f"{tags}\n{scope}\n{told}"))
    return (
        prominent_text(entry.title),
        prominent_text(tags),
        prominent_text(scope),
        names,
        " ".join(error_runs(told, most=60)),
        f"{told} {names.replace('_', ' ')}",  # the tokenizer takes no identifier apart
    )
