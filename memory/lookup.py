"""Where to look in a bank of many files without reading them: from a key to the files that may have it.

A key stands for an id, for what an entry supersedes, or for all that two entries have in common when one
repeats the other (`memory.similar`). The answers are places to look: the caller reads the file and decides.
`.keys.sqlite` is a cache. A folder is compared with it when its time stamp moved, as it does when a file is
created, renamed, replaced or removed; without a cache, or with a broken one, the caller reads every file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from memory import files
from memory.entry import CATEGORIES, Entry
from memory.keys import keys_of

_VERSION = 1
_SCHEMA = """
CREATE TABLE folders (name TEXT PRIMARY KEY, stamp INTEGER NOT NULL);
CREATE TABLE files (path TEXT PRIMARY KEY, signature TEXT NOT NULL);
CREATE TABLE keys (key TEXT NOT NULL, path TEXT NOT NULL);
CREATE INDEX keys_by_key ON keys (key);
CREATE INDEX keys_by_path ON keys (path)
"""
_FIND = "SELECT DISTINCT path FROM keys WHERE key IN (SELECT value FROM json_each(?)) ORDER BY path"
_BATCH = 500

Read = Callable[[str], Entry | None]
"""The entry in a file of the bank, or None when there is none that counts."""


class Lookup:
    """The keys of the bank in `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / files.KEYS_NAME

    def find(self, keys: Sequence[str]) -> list[str] | None:
        """The files to look into, or None when only reading all of them can tell."""
        if not self._file.is_file():
            return None
        try:
            with self._open() as connection:
                return [path for (path,) in connection.execute(_FIND, (json.dumps(list(keys)),))]
        except (sqlite3.Error, OSError):
            return None

    def refresh(self, read: Read) -> None:
        """Bring the keys up to date with the files. A broken cache is built anew."""
        try:
            self._refresh(read)
        except sqlite3.OperationalError:
            return  # locked, or the disk is full: the next one does it
        except (sqlite3.Error, OSError):
            with suppress(sqlite3.Error, OSError):
                self._file.unlink(missing_ok=True)
                self._refresh(read)

    def wrote(self, path: str, entry: Entry) -> None:
        """Take in what was just written. Only under the bank's lock, after `refresh`."""
        with suppress(sqlite3.Error, OSError), self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                found = files.listed(self._root, path)
                _put(connection, path, found.signature if found else "", entry)
                folder = path.partition("/")[0]
                _stamp(connection, folder, (self._root / folder).stat().st_mtime_ns)

    def moved(self, path: str) -> None:
        """Forget a file that was just moved away."""
        with suppress(sqlite3.Error, OSError), self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                _drop(connection, path)

    def _refresh(self, read: Read) -> None:
        stamps = {name: _stamp_of(self._root / name) for name in CATEGORIES}
        if not any(stamps.values()):
            return
        with self._open() as connection:
            known: dict[str, int] = dict(connection.execute("SELECT name, stamp FROM folders"))
            for name, stamp in stamps.items():
                if known.get(name, 0) != stamp:
                    self._compare(connection, name, stamp, read)

    def _compare(self, connection: sqlite3.Connection, folder: str, stamp: int, read: Read) -> None:
        present = {one.path: one for one in files.list_folder(self._root, folder)}
        rows = connection.execute(
            "SELECT path, signature FROM files WHERE path > ? AND path < ?", (f"{folder}/", f"{folder}0")
        )  # '0' follows '/'
        known: dict[str, str] = dict(rows)
        changed = [one for one in present.values() if known.get(one.path) != one.signature]
        for at in range(0, len(changed), _BATCH):
            entries = [(one, read(one.path)) for one in changed[at : at + _BATCH]]
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                for one, entry in entries:
                    _put(connection, one.path, one.signature, entry)
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            for path in known.keys() - present.keys():
                _drop(connection, path)
            _stamp(connection, folder, stamp)

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        if self._file.is_symlink():
            raise FileNotFoundError("the cache is a link, which may lead anywhere")
        connection = sqlite3.connect(self._file, timeout=2.0, isolation_level=None)
        try:
            # It may come from a cloned repository: nothing in its schema is trusted to call functions.
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA synchronous = OFF")  # a cache: losing it costs one rebuild
            _prepare(connection)
            yield connection
        finally:
            connection.close()


def _prepare(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] == _VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                raise sqlite3.DatabaseError("the cache was written by another version")
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")


def _put(connection: sqlite3.Connection, path: str, signature: str, entry: Entry | None) -> None:
    _drop(connection, path)
    connection.execute("INSERT INTO files (path, signature) VALUES (?, ?)", (path, signature))
    rows: Iterable[tuple[str, str]] = [(key, path) for key in keys_of(entry)] if entry else []
    connection.executemany("INSERT INTO keys (key, path) VALUES (?, ?)", rows)


def _drop(connection: sqlite3.Connection, path: str) -> None:
    connection.execute("DELETE FROM keys WHERE path = ?", (path,))
    connection.execute("DELETE FROM files WHERE path = ?", (path,))


def _stamp(connection: sqlite3.Connection, folder: str, stamp: int) -> None:
    connection.execute("INSERT OR REPLACE INTO folders (name, stamp) VALUES (?, ?)", (folder, stamp))


def _stamp_of(folder: Path) -> int:
    try:
        return 0 if folder.is_symlink() else folder.stat().st_mtime_ns
    except OSError:
        return 0
