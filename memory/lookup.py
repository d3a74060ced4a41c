"""Where to look in a bank of many files without reading them: by id, by succession, by what says the same.

The answers are places to look: the caller reads the file and decides. They come from the index that searching
uses too (`memory.storage`), brought up to date before each write; without one the caller reads every file.
"""

from __future__ import annotations

import math
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from memory import files
from memory.entry import Entry
from memory.freshness import Freshness
from memory.similar import repeat_keys
from memory.storage import Storage, is_broken

# `+root`: else SQLite goes through all files of the bank, as it does not know how few have the key.
_CALLED = "SELECT path FROM files WHERE +root = ? AND (entry_id = ? OR substr(entry_id, -8) = ?)"
_REPEATING = "SELECT path FROM files WHERE +root = ? AND (same = ? OR near = ?)"
_SUPERSEDING = "SELECT path FROM links JOIN files USING (row) WHERE +root = ? AND old_id = ?"


class Lookup:
    """The places of the entries of the bank in `root`."""

    def __init__(self, root: Path) -> None:
        self._root = str(root.absolute())
        self._storage = Storage(root / files.INDEX_NAME, patience=2.0)
        # Searches look for edits in place: for a write it is enough to know what came and went.
        self._freshness = Freshness([self._root], watching=False, window=math.inf)
        self._alone = threading.Lock()

    def called(self, wanted: str) -> list[str] | None:
        """The files that may have this id (or this end of one); None when only reading all can tell."""
        return self._found(_CALLED, wanted, wanted)

    def superseding(self, old_id: str) -> list[str] | None:
        """The files that may supersede this id; None when only reading all can tell."""
        return self._found(_SUPERSEDING, old_id)

    def repeating(self, entry: Entry) -> list[str] | None:
        """The files that may say what `entry` says; None when only reading all can tell."""
        return self._found(
            _REPEATING, *repeat_keys(entry.title, entry.action, entry.category, entry.applies_to)
        )

    def refresh(self, *, locked: bool) -> None:
        """Bring the index up to date with the files. Under the bank's lock a broken one is built anew."""
        with self._alone:
            try:
                self._freshness.refresh(self._storage.connection())
            except (sqlite3.Error, OSError) as error:
                self._storage.close()
                if locked and is_broken(error):
                    with suppress(sqlite3.Error, OSError):
                        self._storage.remove()
                        self._freshness.refresh(self._storage.connection())

    def wrote(self, path: str) -> None:
        """Take in what was just written, or moved away. Only under the bank's lock, after `refresh`."""
        with self._alone, suppress(sqlite3.Error, OSError):
            self._freshness.wrote(self._storage.connection(), self._root, path)

    def _found(self, query: str, *values: object) -> list[str] | None:
        with self._alone:
            if not self._storage.location.is_file():
                return None
            try:
                connection = self._storage.connection()
                if not connection.execute("SELECT 1 FROM sweeps WHERE root = ?", (self._root,)).fetchone():
                    return None
                return sorted({path for (path,) in connection.execute(query, (self._root, *values))})
            except (sqlite3.Error, OSError):
                self._storage.close()
                return None
