"""Full-text search over banks: SQLite FTS5, a cache that is rebuilt from the files whenever it differs.

The files are the truth. Before each search the folder listing is compared with what the index holds (size,
time stamps, inode; then the content's hash) and only changed files are read. A missing, corrupt, foreign or
locked index never fails a search: it is built anew, or in memory where the folder cannot be written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from memory import files
from memory.entry import Entry, parse_entry
from memory.errors import InvalidEntry, MemoryBankError
from memory.tokens import identifiers, index_text, prominent_text

# A change of the schema or of the tokens asks for a new number: older files are then thrown away.
VERSION = 1
_SCHEMA = """
CREATE TABLE files (
    row INTEGER PRIMARY KEY, root TEXT NOT NULL, path TEXT NOT NULL, signature TEXT NOT NULL,
    digest TEXT NOT NULL, entry_id TEXT, UNIQUE (root, path));
CREATE INDEX files_by_id ON files (entry_id);
CREATE TABLE links (row INTEGER NOT NULL, old_id TEXT NOT NULL, new_id TEXT NOT NULL);
CREATE INDEX links_by_row ON links (row);
CREATE VIRTUAL TABLE texts USING fts5 (
    title, tags, scope, names, body, tokenize = "porter unicode61 remove_diacritics 2 tokenchars '_'");
"""
# Weights of the columns in their order: title, tags, scope, names (whole identifiers), body.
_SEARCH = """
SELECT files.root, files.path, files.entry_id, -bm25(texts, 4.0, 3.0, 3.0, 4.0, 1.0) AS relevance
FROM texts JOIN files ON files.row = texts.rowid
WHERE texts MATCH ? AND files.root IN (SELECT value FROM json_each(?))
ORDER BY relevance DESC, files.entry_id LIMIT ?
"""
_LINKS = """
SELECT links.old_id, links.new_id FROM links JOIN files USING (row)
WHERE files.root IN (SELECT value FROM json_each(?)) ORDER BY links.new_id
"""
_WHERE = """
SELECT root, path FROM files
WHERE entry_id = ? AND root IN (SELECT value FROM json_each(?)) ORDER BY path
"""


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
    """What an index found: hits best first, and for each superseded id the files and id of its successor."""

    hits: tuple[Hit, ...]
    successors: dict[str, str]
    places: dict[str, tuple[tuple[int, str], ...]]  # where each successor lies: (bank, path)


class Index:
    """An index over the banks in `roots`, kept in the file `location`, or in memory when that is None.

    A process that finds the file locked for `patience` seconds goes on in memory.
    """

    def __init__(self, location: Path | None, roots: Sequence[Path], *, patience: float = 5.0) -> None:
        self._patience = patience
        self._location = location
        self._roots = [str(root.absolute()) for root in roots]
        self._memory: sqlite3.Connection | None = None
        self._alone = threading.Lock()

    def search(self, terms: Sequence[str], *, column: str = "", limit: int = 50) -> Search:
        """Entries with any of `terms` (from `tokens.query_terms`), in one `column` or all, best first."""
        match = " OR ".join(f'"{term}"' for term in terms)
        query = f"{column} : ({match})" if column else match
        with self._alone:
            try:
                with self._on_disk() as connection:
                    return self._run(connection, query, limit)
            except (sqlite3.Error, OSError) as error:
                if _is_broken(error) and self._removed():
                    with contextlib.suppress(sqlite3.Error, OSError), self._on_disk() as connection:
                        return self._run(connection, query, limit)
            return self._run(self._in_memory(), query, limit)

    def _run(self, connection: sqlite3.Connection, query: str, limit: int) -> Search:
        refresh(connection, self._roots)
        roots = json.dumps(self._roots)
        rows = connection.execute(_SEARCH, (query, roots, limit)).fetchall() if query else []
        hits = tuple(
            Hit(self._roots.index(root), path, entry_id, score) for root, path, entry_id, score in rows
        )
        successors: dict[str, str] = dict(connection.execute(_LINKS, (roots,)).fetchall())
        places = {new: self._places(connection, new, roots) for new in set(successors.values())}
        return Search(hits, successors, places)

    def _places(
        self, connection: sqlite3.Connection, entry_id: str, roots: str
    ) -> tuple[tuple[int, str], ...]:
        rows = connection.execute(_WHERE, (entry_id, roots)).fetchall()
        return tuple(sorted((self._roots.index(root), path) for root, path in rows))

    @contextlib.contextmanager
    def _on_disk(self) -> Generator[sqlite3.Connection]:
        if self._location is None or not self._location.parent.is_dir():
            raise FileNotFoundError("there is no folder for the index")
        if self._location.is_symlink():
            raise FileNotFoundError("the index is a link, which may lead anywhere")
        if not self._location.exists():
            files.prepare(self._location.parent)
        connection = sqlite3.connect(self._location, timeout=self._patience, isolation_level=None)
        try:
            # It may come from a cloned repository: nothing in its schema is trusted to call functions.
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA synchronous = OFF")  # a cache: losing it costs one rebuild
            _prepare(connection)
            yield connection
        finally:
            connection.close()

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
            # `_alone` keeps threads apart.
            self._memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
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


def refresh(connection: sqlite3.Connection, roots: Sequence[str]) -> int:
    """Bring the index up to date with the files under `roots`. Returns how many files were read."""
    if not _outdated(connection, roots):
        return 0
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # commits, or rolls back on an error
        # Another process may have done the work while we waited for the lock: compare again.
        changes = _outdated(connection, roots)
        for root, path, file in changes:
            _take_in(connection, root, path, file)
        _forget_lost_roots(connection)
    return sum(file is not None for _, _, file in changes)


def _outdated(
    connection: sqlite3.Connection, roots: Iterable[str]
) -> list[tuple[str, str, files.Found | None]]:
    """(root, path, file as found) for each file that differs from its row; None for one that is gone."""
    changes: list[tuple[str, str, files.Found | None]] = []
    for root in roots:
        rows = connection.execute("SELECT path, signature FROM files WHERE root = ?", (root,)).fetchall()
        known: dict[str, str] = dict(rows)
        present = files.list_files(Path(root))
        changes += [(root, file.path, file) for file in present if known.get(file.path) != file.signature]
        gone = known.keys() - {file.path for file in present}
        changes += [(root, path, None) for path in sorted(gone)]
    return changes


def _take_in(connection: sqlite3.Connection, root: str, path: str, file: files.Found | None) -> None:
    old = connection.execute(
        "SELECT row, digest FROM files WHERE root = ? AND path = ?", (root, path)
    ).fetchone()
    if file is None:
        _forget(connection, old[0] if old else None)
        return
    looked = time.time_ns()
    content, entry = _read(Path(root) / path)
    digest = hashlib.sha256(content).hexdigest()
    # Without a signature the file is read again next time, until its time stamp can be relied on.
    signature = file.signature if file.settled(looked) else ""
    if old and old[1] == digest:
        connection.execute("UPDATE files SET signature = ? WHERE row = ?", (signature, old[0]))
        return
    _forget(connection, old[0] if old else None)
    row = connection.execute(
        "INSERT INTO files (root, path, signature, digest, entry_id) VALUES (?, ?, ?, ?, ?)",
        (root, path, signature, digest, entry.id if entry else None),
    ).lastrowid
    if entry:
        connection.execute(
            "INSERT INTO texts (rowid, title, tags, scope, names, body) VALUES (?, ?, ?, ?, ?, ?)",
            (row, *columns(entry)),
        )
        if entry.status != "retired":
            links = [(row, old_id, entry.id) for old_id in entry.supersedes]
            connection.executemany("INSERT INTO links (row, old_id, new_id) VALUES (?, ?, ?)", links)


def _read(path: Path) -> tuple[bytes, Entry | None]:
    """A file's bytes and its entry; a file that is no entry is known by its bytes alone and never found."""
    try:
        content, text = files.read_text(path)
        return content, parse_entry(text)
    except (InvalidEntry, FileNotFoundError):
        return b"", None


def _forget(connection: sqlite3.Connection, row: int | None) -> None:
    if row is not None:
        connection.execute("DELETE FROM texts WHERE rowid = ?", (row,))
        connection.execute("DELETE FROM links WHERE row = ?", (row,))
        connection.execute("DELETE FROM files WHERE row = ?", (row,))


def _forget_lost_roots(connection: sqlite3.Connection) -> None:
    """Drop what came from folders that are gone, such as the starter bank of an older installation."""
    for (root,) in connection.execute("SELECT DISTINCT root FROM files").fetchall():
        if not Path(root).is_dir():
            rows = connection.execute("SELECT row FROM files WHERE root = ?", (root,)).fetchall()
            for (row,) in rows:
                _forget(connection, row)


def columns(entry: Entry) -> tuple[str, str, str, str, str]:
    """title, tags, scope, names and body as the index takes them in."""
    scope = " ".join(name for names in entry.applies_to.values() for name in names)
    notes = "\n".join(outcome.note for outcome in entry.outcomes)
    body = "\n".join(
        (entry.title, entry.context, entry.action, entry.result, entry.why, entry.preamble, notes)
    )
    tags = " ".join(entry.tags)
    names = " ".join(identifiers("\n".join((tags, scope, body))))
    return prominent_text(entry.title), prominent_text(tags), prominent_text(scope), names, index_text(body)
