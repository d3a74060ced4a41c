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

from memory.fingerprint import MARK
from memory.freshness import Freshness
from memory.storage import Storage, in_memory, is_broken

_BEST_ROWS = "SELECT rowid, -rank FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT ?"
_FILES = """
SELECT row, root, path, entry_id FROM files
WHERE row IN (SELECT value FROM json_each(?)) AND root IN (SELECT value FROM json_each(?))
"""
_LINK = """
SELECT links.new_id FROM links JOIN files USING (row)
WHERE links.old_id = ? AND NOT links.retired AND files.root IN (SELECT value FROM json_each(?))
ORDER BY links.new_id DESC LIMIT 1
"""
_WHERE = """
SELECT root, path FROM files
WHERE entry_id = ? AND root IN (SELECT value FROM json_each(?)) ORDER BY path
"""
_HAVING = """
SELECT count(*), max(rowid) FROM (SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid LIMIT ?)
"""
# What a search may read: occurrences of its terms, the rarest first. Words in most entries tell them apart
# least and cost most.
_WORK = 6_000
_COUNTED = 2_000  # of a term in more entries, the number is estimated from the first ones
_ROWS = 100
_LESS = 0.5  # what a synonym's score counts
_LONGEST_CHAIN = 20


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
        self._storage = Storage(location, patience=patience) if location else None
        self._roots = [str(root.absolute()) for root in roots]
        self._freshness = freshness or Freshness(self._roots)
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
                if self._healed(error):
                    with contextlib.suppress(sqlite3.Error, OSError):
                        return self._run(self._on_disk(), terms, also, column, limit)
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
        weights_of_others, searched = _weighed(
            connection, counted, also, _WORK // 3, at_least=0 if scores else 1
        )
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
        """In how many entries each term is, as far as that was asked since the last change."""
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
        if self._storage is None:
            raise FileNotFoundError("there is no place for the index")
        return self._storage.connection()

    def _healed(self, error: Exception) -> bool:
        """Whether a broken index was taken away, so that a new one can be built."""
        if self._storage is None:
            return False
        self._storage.close()
        return is_broken(error) and self._storage.removed()

    def _in_memory(self) -> sqlite3.Connection:
        if self._memory is None:
            self._memory = in_memory()
            weakref.finalize(self, self._memory.close)
        return self._memory


def _scores(connection: sqlite3.Connection, terms: Sequence[str], column: str) -> dict[int, float]:
    """The rows that have any of `terms` with their relevance, the best ones."""
    if not terms:
        return {}
    match = " OR ".join(f'"{term}"' for term in terms)
    query = f"{column} : ({match})" if column else match
    return dict(connection.execute(_BEST_ROWS, (query, _ROWS)).fetchall())


def _weighed(
    connection: sqlite3.Connection,
    counted: dict[str, int],
    terms: Sequence[str],
    most: int,
    *,
    at_least: int = 1,
) -> tuple[dict[str, float], list[str]]:
    """How much each term tells, and those to search for: the rarest, as far as `most` goes, and
    `at_least` so many."""
    total = connection.execute("SELECT coalesce(max(row), 0) FROM files").fetchone()[0]
    for term in terms:
        if term not in counted:
            counted[term] = _having(connection, term, total)
    entries = {term: counted[term] for term in terms}
    searched: list[str] = []
    work = 0
    for term in sorted(filter(entries.__getitem__, terms), key=entries.__getitem__):
        work += entries[term]
        if len(searched) >= at_least and work > most:
            break
        searched.append(term)
    weights = {
        term: math.log(1 + (total - count + 0.5) / (count + 0.5))
        for term, count in entries.items()
        if not (term.startswith(MARK) and not count)
    }
    return weights, searched


def _having(connection: sqlite3.Connection, term: str, total: int) -> int:
    """In about how many entries `term` is, of `total`."""
    count, last = connection.execute(_HAVING, (f'"{term}"', _COUNTED)).fetchone()
    return round(count * total / last) if count == _COUNTED else count


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
