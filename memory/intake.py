"""How files come into the index: what differs from its rows is read, parsed and taken in."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from memory import files
from memory.entry import parse_entry
from memory.errors import InvalidEntry
from memory.fingerprint import error_runs
from memory.similar import repeat_keys
from memory.skim import Skimmed, skim, skimmed
from memory.tokens import identifiers, prominent_text

_NEW_FILE = """
INSERT INTO files (row, root, path, signature, digest, entry_id, same, near) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_NEW_TEXT = """
INSERT INTO texts (rowid, title, tags, scope, names, failure, body) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_NEW_LINK = "INSERT INTO links (row, old_id, new_id, retired) VALUES (?, ?, ?, ?)"
_ONE = "SELECT row, signature, digest FROM files WHERE root = ? AND path = ?"
_AT_ONCE = 500
_MANY = 2_000


@dataclass(frozen=True, slots=True)
class Change:
    """A file that differs from its row: as found (None: gone), and the row (None: new) with its digest."""

    root: str
    path: str
    found: files.Found | None
    row: int | None
    digest: bytes | None


def compare(connection: sqlite3.Connection, root: str, folder: str) -> list[Change]:
    """What differs between the rows and the files of one category folder."""
    rows = connection.execute(
        "SELECT path, row, signature, digest FROM files WHERE root = ? AND path > ? AND path < ?",
        (root, f"{folder}/", f"{folder}0"),  # '0' follows '/'
    )
    known: dict[str, tuple[int, str, bytes]] = {
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
        and _digest(_read(f"{root}/{path}")[0]) == digest
    ):
        return None  # it is looked at again when its time stamp can be relied on
    return Change(root, path, found, row, digest)


def take_in(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Bring the rows of `changes` up to date. Runs inside a transaction."""
    remaining = iter(changes)
    taken = 0
    while batch := list(itertools.islice(remaining, _AT_ONCE)):
        _take_in(connection, batch)
        taken += len(batch)
    if taken >= _MANY:  # else one of the next writes would have to merge all of that
        connection.execute("INSERT INTO texts (texts) VALUES ('optimize')")


def _take_in(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    row: int = connection.execute("SELECT coalesce(max(row), 0) FROM files").fetchone()[0]
    new_files: list[tuple[object, ...]] = []
    new_texts: list[tuple[object, ...]] = []
    new_links: list[tuple[object, ...]] = []
    for change in changes:
        if change.found is None:
            forget(connection, change.row)
            continue
        looked = time.time_ns()
        content, entry = _read(f"{change.root}/{change.path}")
        digest = _digest(content)
        # Without a signature the file is read again next time, until its time stamp can be relied on.
        signature = change.found.signature if change.found.settled(looked) else ""
        if change.digest == digest:
            connection.execute("UPDATE files SET signature = ? WHERE row = ?", (signature, change.row))
            continue
        forget(connection, change.row)
        row += 1
        known = (entry.id, *_keys(entry)) if entry else (None, None, None)
        new_files.append((row, change.root, change.path, signature, digest, *known))
        if entry:
            new_texts.append((row, *columns(entry)))
            retired = entry.status == "retired"
            new_links += [(row, old_id, entry.id, retired) for old_id in entry.supersedes]
    connection.executemany(_NEW_FILE, new_files)
    connection.executemany(_NEW_TEXT, new_texts)
    connection.executemany(_NEW_LINK, new_links)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _keys(entry: Skimmed) -> tuple[int, int]:
    return repeat_keys(entry.title, entry.action, entry.category, entry.applies_to)


def _read(path: str) -> tuple[bytes, Skimmed | None]:
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
    scope = " ".join(itertools.chain.from_iterable(entry.applies_to.values()))
    tags = " ".join(entry.tags)
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
