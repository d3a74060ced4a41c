"""Full-text search over banks: SQLite FTS5, a cache that is rebuilt from the files whenever it differs.

The files are the truth, and `memory.freshness` keeps the index true to them. A missing, corrupt, foreign or
locked index never fails a search: it is built anew, or in memory where the folder cannot be written.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from memory import files
from memory.errors import MemoryBankError
from memory.fingerprint import MARK
from memory.freshness import Freshness
from memory.stems import TOKENIZER, stems

# A change of the schema or of the tokens asks for a new number: older files are then thrown away.
VERSION = 2
# Weights of the columns in their order: title, tags, scope, names (whole identifiers), failure, body.
_WEIGHTS = "4.0, 3.0, 3.0, 4.0, 3.0, 1.0"
_SCHEMA = """
CREATE TABLE files (
    row INTEGER PRIMARY KEY, root TEXT NOT NULL, path TEXT NOT NULL, signature TEXT NOT NULL,
    digest TEXT NOT NULL, entry_id TEXT, UNIQUE (root, path));
CREATE INDEX files_by_id ON files (entry_id);
CREATE INDEX files_unsettled ON files (row) WHERE signature = '';
CREATE TABLE folders (root TEXT, name TEXT, stamp TEXT NOT NULL, PRIMARY KEY (root, name)) WITHOUT ROWID;
CREATE TABLE sweeps (root TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE links (row INTEGER NOT NULL, old_id TEXT NOT NULL, new_id TEXT NOT NULL);
CREATE INDEX links_by_row ON links (row);
CREATE INDEX links_by_old_id ON links (old_id);
CREATE VIRTUAL TABLE texts USING fts5 (
    title, tags, scope, names, failure, body, tokenize = "TOKENIZER");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (texts, 'row');
INSERT INTO texts (texts, rank) VALUES ('rank', 'bm25(WEIGHTS)');
INSERT INTO texts (texts, rank) VALUES ('hashsize', 16777216)
""".replace("TOKENIZER", TOKENIZER).replace("WEIGHTS", _WEIGHTS)
_BEST_ROWS = "SELECT rowid, -rank FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT ?"
_FILES = """
SELECT row, root, path, entry_id FROM files
WHERE row IN (SELECT value FROM json_each(?)) AND root IN (SELECT value FROM json_each(?))
"""
_LINK = """
SELECT links.new_id FROM links JOIN files USING (row)
WHERE links.old_id = ? AND files.root IN (SELECT value FROM json_each(?)) ORDER BY links.new_id DESC LIMIT 1
"""
_WHERE = """
SELECT root, path FROM files
WHERE entry_id = ? AND root IN (SELECT value FROM json_each(?)) ORDER BY path
"""
# What a search may read: occurrences of its terms, the rarest first. Words in most entries tell them apart
# least and cost most.
_WORK = 6_000
_ROWS = 100
_LESS = 0.5  # what a synonym's score counts
_LONGEST_CHAIN = 20

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


@dataclass(frozen=True, slots=True)
class Hit:
    """A file that matched: the bank's place in `roots`, relative path, the entry's id, how well (> 0)."""

    bank: int
    path: str
    entry_id: str
    relevance: float


@dataclass(frozen=True, slots=True)
class Search:
    """What an index found: hits best first, for each superseded id the files and id of its successor, and
    how much each term tells (the rarer the more; 0 for a term that no query needs)."""

    hits: tuple[Hit, ...]
    successors: dict[str, str]
    places: dict[str, tuple[tuple[int, str], ...]]  # where each successor lies: (bank, path)
    weights: dict[str, float]


class Index:
    """An index over the banks in `roots`, kept in the file `location`, or in memory when that is None.

    A process that finds the file locked for `patience` seconds goes on in memory. `freshness` says how it
    follows the files.
    """

    def __init__(
        self,
        location: Path | None,
        roots: Sequence[Path],
        *,
        patience: float = 5.0,
        freshness: Freshness | None = None,
    ) -> None:
        self._patience = patience
        self._location = location
        self._roots = [str(root.absolute()) for root in roots]
        self._freshness = freshness or Freshness(self._roots)
        self._opened: sqlite3.Connection | None = None
        self._inode = 0
        self._memory: sqlite3.Connection | None = None
        self._counted: dict[str, int] = {}
        self._counted_in = (0, 0, 0)
        self._alone = threading.Lock()  # keeps threads apart

    def search(
        self, terms: Sequence[str], *, also: Sequence[str] = (), column: str = "", limit: int = 20
    ) -> Search:
        """Entries with any of `terms` (from `tokens.query_terms`), in one `column` or all, best first.

        `also` are terms that count less, such as synonyms.
        """
        with self._alone:
            try:
                return self._run(self._on_disk(), terms, also, column, limit)
            except (sqlite3.Error, OSError) as error:
                self._close()
                if _is_broken(error) and self._removed():
                    with contextlib.suppress(sqlite3.Error, OSError):
                        return self._run(self._on_disk(), terms, also, column, limit)
                    self._close()
            return self._run(self._in_memory(), terms, also, column, limit)

    def refresh(self) -> int:
        """Bring the index up to date without searching. Returns how many files had changed."""
        with self._alone:
            return self._freshness.refresh(self._on_disk())

    def _run(
        self,
        connection: sqlite3.Connection,
        terms: Sequence[str],
        also: Sequence[str],
        column: str,
        limit: int,
    ) -> Search:
        self._freshness.refresh(connection)
        roots = json.dumps(self._roots)
        counted = self._counts(connection)
        weights, searched = _weighed(connection, counted, terms, _WORK)
        scores = _scores(connection, searched, column)
        weights_of_others, searched = _weighed(connection, counted, also, _WORK // 3)
        for row, score in _scores(connection, searched, column).items():
            scores[row] = scores.get(row, 0.0) + _LESS * score
        weights |= weights_of_others
        best = sorted(scores, key=lambda row: (-scores[row], row))[:limit]
        found = connection.execute(_FILES, (json.dumps(best), roots)).fetchall()
        hits = tuple(
            sorted(
                (
                    Hit(self._roots.index(root), path, entry_id, scores[row])
                    for row, root, path, entry_id in found
                ),
                key=lambda hit: (-hit.relevance, hit.entry_id),
            )
        )
        successors = _successors(connection, {hit.entry_id for hit in hits}, roots)
        places = {new: self._places(connection, new, roots) for new in set(successors.values())}
        return Search(hits, successors, places, weights)

    def _counts(self, connection: sqlite3.Connection) -> dict[str, int]:
        """In how many entries each stem is, as far as that was asked since the last change."""
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        state = (id(connection), version, connection.total_changes)
        if state != self._counted_in:
            self._counted_in = state
            self._counted = {}
        return self._counted

    def _places(
        self, connection: sqlite3.Connection, entry_id: str, roots: str
    ) -> tuple[tuple[int, str], ...]:
        rows = connection.execute(_WHERE, (entry_id, roots)).fetchall()
        return tuple(sorted((self._roots.index(root), path) for root, path in rows))

    def _on_disk(self) -> sqlite3.Connection:
        if self._location is None or not self._location.parent.is_dir():
            raise FileNotFoundError("there is no folder for the index")
        if self._location.is_symlink():
            raise FileNotFoundError("the index is a link, which may lead anywhere")
        if self._opened is not None and self._inode == _inode(self._location):
            return self._opened
        self._close()
        if not self._location.exists():
            files.prepare(self._location.parent)
        connection = sqlite3.connect(
            self._location, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        self._opened = connection
        weakref.finalize(self, connection.close)
        # It may come from a cloned repository: nothing in its schema is trusted to call functions.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA synchronous = OFF")  # a cache: losing it costs one rebuild
        connection.execute("PRAGMA cache_size = -16384")
        _prepare(connection)
        self._inode = _inode(self._location)
        return connection

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _removed(self) -> bool:
        """Take a broken index away, alone, so that the next opening builds a new one."""
        if self._location is None:
            return False
        try:
            with files.exclusive(self._location.parent, wait=2.0):
                for suffix in ("", "-journal", "-wal", "-shm"):
                    self._location.with_name(self._location.name + suffix).unlink(missing_ok=True)
        except (MemoryBankError, OSError):
            return False
        return True

    def _in_memory(self) -> sqlite3.Connection:
        if self._memory is None:
            self._memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            weakref.finalize(self, self._memory.close)
            _prepare(self._memory)
        return self._memory


def _is_broken(error: Exception) -> bool:
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


def _scores(connection: sqlite3.Connection, terms: Sequence[str], column: str) -> dict[int, float]:
    """The rows that have any of `terms` with their relevance, the best ones."""
    if not terms:
        return {}
    match = " OR ".join(f'"{term}"' for term in terms)
    query = f"{column} : ({match})" if column else match
    return dict(connection.execute(_BEST_ROWS, (query, _ROWS)).fetchall())


def _weighed(
    connection: sqlite3.Connection, counted: dict[str, int], terms: Sequence[str], most: int
) -> tuple[dict[str, float], list[str]]:
    """How much each term tells, and those to search for: the rarest, as far as `most` goes."""
    total = connection.execute("SELECT coalesce(max(row), 0) FROM files").fetchone()[0]
    stemmed = stems(terms)
    entries: dict[str, int] = {}
    for term in dict.fromkeys(terms):
        stem = stemmed[term]
        if stem not in counted:
            row = connection.execute("SELECT doc FROM vocabulary WHERE term = ?", (stem,)).fetchone()
            counted[stem] = row[0] if row else 0
        entries[term] = counted[stem]
    searched: list[str] = []
    work = 0
    for term in sorted(filter(entries.__getitem__, terms), key=entries.__getitem__):
        work += entries[term]
        if searched and work > most:
            break
        searched.append(term)
    weights = {
        term: math.log(1 + (total - count + 0.5) / (count + 0.5))
        for term, count in entries.items()
        if not (term.startswith(MARK) and not count)
    }
    return weights, searched


def _successors(connection: sqlite3.Connection, ids: set[str], roots: str) -> dict[str, str]:
    """For each of `ids` that was superseded its successor, and so on along the chain."""
    found: dict[str, str] = {}
    wanted = ids
    for _ in range(_LONGEST_CHAIN):
        fresh = {
            old: row[0]
            for old in sorted(wanted)
            if old not in found and (row := connection.execute(_LINK, (old, roots)).fetchone())
        }
        if not fresh:
            break
        found |= fresh
        wanted = set(fresh.values())
    return found
