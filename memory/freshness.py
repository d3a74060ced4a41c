"""When the index must be compared with the files, and how much of them, so that a search stays cheap.

    every search      the folders' time stamps: a file created, renamed, replaced or removed, by anybody
                      (our own writes and most editors and git replace files)
    every search      the kernel's watch where there is one: an edit in place, seen by the next search
    without a watch   every file, once `WINDOW` has passed: an edit in place is seen a second later
    with a watch      every file, once a minute, for edits on another machine that shares the folder

Whatever is returned is read again from its file anyway, so no search tells what a file no longer says.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from memory.entry import CATEGORIES
from memory.files import SETTLED_AFTER_NS
from memory.intake import Change, compare, forget, take_in
from memory.watch import Watch

WINDOW = 1.0
_WITH_WATCH = 60.0
# A comparison of very many files takes its time: it gets one part in a hundred.
_SHARE = 100


class Freshness:
    """Keeps the rows for the banks in `roots` true to their files, in whichever database it is given."""

    def __init__(
        self, roots: Sequence[str], *, watching: bool = True, clock: Callable[[], float] = time.time
    ) -> None:
        self._roots = tuple(roots)
        self._folders = {Path(root) / name: (root, name) for root in roots for name in sorted(CATEGORIES)}
        self._watching = watching
        self._watch: Watch | None = None
        self._took = 0.0
        self._last: sqlite3.Connection | None = None
        self._clock = clock

    def refresh(self, connection: sqlite3.Connection) -> int:
        """Bring `connection` up to date as far as a search needs it. Returns how many rows changed."""
        # What the watch told while another database was in use is not in this one.
        due = self._due(connection) or self._last not in (None, connection)
        self._last = connection
        if due:
            self._start_watch()
        started = time.monotonic()
        stamps = {folder: _stamp(folder) for folder in self._folders}
        stale = set(self._folders) if due else self._stale(connection, stamps) | self._reported()
        if not stale:
            return 0
        changes = self._compared(connection, stale)
        with _alone(connection) as waited:
            if waited:  # another process may have done the work meanwhile
                changes = self._compared(connection, stale)
            take_in(connection, changes)
            self._note(connection, stale, stamps, swept=due)
        if due:
            self._took = time.monotonic() - started
        return len(changes)

    def _due(self, connection: sqlite3.Connection) -> bool:
        """Whether every file is to be compared now."""
        swept: dict[str, float] = dict(connection.execute("SELECT root, at FROM sweeps").fetchall())
        moments = [swept[root] for root in self._roots if root in swept]
        if len(moments) < len(self._roots):
            return True
        age = self._clock() - min(moments)
        wait = max(_WITH_WATCH, _SHARE * self._took) if self._watch else WINDOW
        return not 0 <= age < wait

    def _start_watch(self) -> None:
        if self._watching and self._watch is None:
            try:
                self._watch = Watch(self._folders)
            except OSError:
                self._watching = False

    def _reported(self) -> set[Path]:
        if self._watch is None:
            return set()
        try:
            return self._watch.changed()
        except OSError:
            self._watch, self._watching = None, False
            return set(self._folders)

    def _stale(self, connection: sqlite3.Connection, stamps: dict[Path, str]) -> set[Path]:
        rows = connection.execute("SELECT root, name, stamp FROM folders").fetchall()
        known = {(root, name): stamp for root, name, stamp in rows}
        stale = {
            folder
            for folder, key in self._folders.items()
            if not stamps[folder] or known.get(key) != stamps[folder]
        }
        unsettled = connection.execute("SELECT root, path FROM files WHERE signature = ''").fetchall()
        return stale | {
            folder for root, path in unsettled if (folder := Path(root, path).parent) in self._folders
        }

    def _compared(self, connection: sqlite3.Connection, stale: set[Path]) -> list[Change]:
        return [change for folder in sorted(stale) for change in compare(connection, *self._folders[folder])]

    def _note(
        self, connection: sqlite3.Connection, stale: set[Path], stamps: dict[Path, str], *, swept: bool
    ) -> None:
        rows = [(*self._folders[folder], stamps[folder]) for folder in stale]
        connection.executemany("INSERT OR REPLACE INTO folders (root, name, stamp) VALUES (?, ?, ?)", rows)
        if swept:
            moments = [(root, self._clock()) for root in self._roots]
            connection.executemany("INSERT OR REPLACE INTO sweeps (root, at) VALUES (?, ?)", moments)
            _forget_lost_roots(connection)


def _stamp(folder: Path) -> str:
    """What tells that something came to or left `folder`; empty while the clock is too coarse to tell."""
    try:
        stat = folder.lstat()
    except OSError:
        return "none"
    settled = stat.st_mtime_ns < time.time_ns() - SETTLED_AFTER_NS
    return f"{stat.st_mtime_ns}.{stat.st_ino}" if settled else ""


@contextlib.contextmanager
def _alone(connection: sqlite3.Connection):
    """Hold the index for writing. Tells whether another process wrote into it just before."""
    before = connection.execute("PRAGMA data_version").fetchone()[0]
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # commits, or rolls back on an error
        yield connection.execute("PRAGMA data_version").fetchone()[0] != before


def _forget_lost_roots(connection: sqlite3.Connection) -> None:
    """Drop what came from folders that are gone, such as the starter bank of an older installation."""
    for (root,) in connection.execute("SELECT root FROM sweeps").fetchall():
        if not Path(root).is_dir():
            for (row,) in connection.execute("SELECT row FROM files WHERE root = ?", (root,)).fetchall():
                forget(connection, row)
            connection.execute("DELETE FROM sweeps WHERE root = ?", (root,))
            connection.execute("DELETE FROM folders WHERE root = ?", (root,))
