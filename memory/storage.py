"""The file `.index.sqlite` of a bank: one cache for searching and for looking up, and how it heals.

    files       one row for each file: its signature and digest, its entry's id, and two keys that an entry
                shares with any that repeats it (`memory.similar`)
    links       which entry supersedes which
    texts       FTS5 over the words (`memory.intake` says which)
    folders     the time stamp that a folder had when it was compared
    sweeps      when every file of a bank was compared

Losing it costs one rebuild. It is never followed through a link, and nothing in it is trusted.
"""

from __future__ import annotations

import contextlib
import sqlite3
import weakref
from pathlib import Path

from memory import files
from memory.errors import MemoryBankError
from memory.stems import TOKENIZER

# A change of the schema or of the tokens asks for a new number: older files are then thrown away.
VERSION = 4
# Weights of the columns in their order: title, tags, scope, names (whole identifiers), failure, body.
_WEIGHTS = "4.0, 3.0, 3.0, 4.0, 3.0, 1.0"
_SCHEMA = """
CREATE TABLE files (
    row INTEGER PRIMARY KEY, root TEXT NOT NULL, path TEXT NOT NULL, signature TEXT NOT NULL,
    digest TEXT NOT NULL, entry_id TEXT, same INTEGER, near INTEGER, UNIQUE (root, path));
CREATE INDEX files_by_id ON files (entry_id);
CREATE INDEX files_by_tail ON files (substr(entry_id, -8));
CREATE INDEX files_by_same ON files (same);
CREATE INDEX files_by_near ON files (near);
CREATE INDEX files_unsettled ON files (row) WHERE signature = '';
CREATE TABLE folders (root TEXT, name TEXT, stamp TEXT NOT NULL, PRIMARY KEY (root, name)) WITHOUT ROWID;
CREATE TABLE sweeps (root TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE links (row INTEGER NOT NULL, old_id TEXT NOT NULL, new_id TEXT NOT NULL, retired INTEGER);
CREATE INDEX links_by_row ON links (row);
CREATE INDEX links_by_old_id ON links (old_id);
CREATE VIRTUAL TABLE texts USING fts5 (
    title, tags, scope, names, failure, body, tokenize = "TOKENIZER");
INSERT INTO texts (texts, rank) VALUES ('rank', 'bm25(WEIGHTS)');
INSERT INTO texts (texts, rank) VALUES ('hashsize', 16777216)
""".replace("TOKENIZER", TOKENIZER).replace("WEIGHTS", _WEIGHTS)

_NOT_ITS_FAULT = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
    }
)


class Storage:
    """The index in the file `location`, opened when it is first asked for and kept open.

    Another process that holds the file is waited for, `patience` seconds.
    """

    def __init__(self, location: Path, *, patience: float) -> None:
        self.location = location
        self._patience = patience
        self._opened: sqlite3.Connection | None = None
        self._inode = 0

    def connection(self) -> sqlite3.Connection:
        """The open index. OSError or sqlite3.Error when there can be none."""
        if not self.location.parent.is_dir():
            raise FileNotFoundError("there is no folder for the index")
        if self.location.is_symlink():
            raise FileNotFoundError("the index is a link, which may lead anywhere")
        if self._opened is not None and self._inode == _inode(self.location):
            return self._opened
        self.close()
        if not self.location.exists():
            files.prepare(self.location.parent)
        connection = sqlite3.connect(
            self.location, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        self._opened = connection
        weakref.finalize(self, connection.close)
        # It may come from a cloned repository: nothing in its schema is trusted to call functions.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA synchronous = OFF")  # a cache: losing it costs one rebuild
        connection.execute("PRAGMA cache_size = -16384")
        _prepare(connection)
        self._inode = _inode(self.location)
        return connection

    def close(self) -> None:
        """Let go of the file, until it is asked for again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def removed(self) -> bool:
        """Take a broken index away, alone, so that the next opening builds a new one."""
        try:
            with files.exclusive(self.location.parent, wait=2.0):
                self.remove()
        except (MemoryBankError, OSError):
            return False
        return True

    def remove(self) -> None:
        """Take the index away. Only under the bank's lock."""
        self.close()
        for suffix in ("", "-journal", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                self.location.with_name(self.location.name + suffix).unlink()


def in_memory() -> sqlite3.Connection:
    """An index that is nowhere on disk."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _prepare(connection)
    return connection


def is_broken(error: Exception) -> bool:
    """Whether the index itself is at fault, and not its folder, its disk or another process that holds it."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.Error) and (code is None or (code & 0xFF) not in _NOT_ITS_FAULT)


def _prepare(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # commits, or rolls back on an error
        if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                raise sqlite3.DatabaseError("the index was written by another version")
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return -1
