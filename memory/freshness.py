"""When the index must be compared with the files, and how much of them, so that a search stays cheap.

    every look        what the kernel's watch names (Linux): a file made, edited in place, renamed or removed
    every look        the folders' time stamps, and of a folder that moved without the watch's knowing every
                      file: something was made, renamed, replaced or removed, maybe on another machine
    every look        the files that were too young, when last read, for their time stamp to be relied on
    without a watch   every file, once `WINDOW` has passed: an edit in place is seen a second later
    with a watch      every file, once a minute, for edits on another machine that shares the folder

Whatever is returned is read again from its file anyway, so no search tells what a file no longer says.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from memory.entry import CATEGORIES
from memory.files import SETTLED_AFTER_NS
from memory.intake import Change, compare, compare_one, forget, take_in
from memory.watch import Watch

WINDOW = 1.0
_WITH_WATCH = 60.0
# A comparison of very many files takes its time: it gets one part in a hundred.
_SHARE = 100


class Freshness:
    """Keeps the rows for the banks in `roots` true to their files, in whichever database it is given.

    Every file is compared when the last time is `window` seconds ago, where nothing is watched.
    """

    def __init__(
        self,
        roots: Sequence[str],
        *,
        watching: bool = True,
        window: float = WINDOW,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._roots = tuple(roots)
        self._folders = {Path(root) / name: (root, name) for root in roots for name in sorted(CATEGORIES)}
        self._watching = watching
        self._window = window
        self._watch: Watch | None = None
        self._took = 0.0
        self._last: sqlite3.Connection | None = None
        self._clock = clock

    def refresh(self, connection: sqlite3.Connection) -> int:
        """Bring `connection` up to date as far as a look needs it. Returns how many rows changed."""
        # What the watch told while another database was in use is not in this one.
        due = self._due(connection) or self._last not in (None, connection)
        self._last = connection
        if due:
            self._start_watch()
        started = time.monotonic()
        reported = self._reported()
        stamps = {folder: _stamp(folder) for folder in self._folders}
        moved = self._moved(connection, stamps)
        whole = {folder for folder, names in reported.items() if names is None}
        stale = set(self._folders) if due else whole | (moved - reported.keys())
        single = self._single(connection, reported, stale)
        changes = self._compared(connection, stale, single)
        if not (due or stale or changes or moved):
            return 0
        with _alone(connection) as waited:
            if waited:  # another process may have done the work meanwhile
                changes = self._compared(connection, stale, single)
            take_in(connection, changes)
            self._note(connection, stale | moved, stamps, swept=due)
        if due:
            self._took = time.monotonic() - started
        return len(changes)

    def wrote(self, connection: sqlite3.Connection, root: str, path: str) -> None:
        """Take in a file that was just written or moved away. Only under the bank's lock, after `refresh`."""
        with _alone(connection):
            change = compare_one(connection, root, path)
            take_in(connection, [change] if change else [])
            folder = Path(root, path).parent
            if folder in self._folders:
                _put_stamp(connection, *self._folders[folder], _stamp(folder))

    def _due(self, connection: sqlite3.Connection) -> bool:
        """Whether every file is to be compared now."""
        swept: dict[str, float] = dict(connection.execute("SELECT root, at FROM sweeps").fetchall())
        moments = [swept[root] for root in self._roots if root in swept]
        if len(moments) < len(self._roots):
            return True
        age = self._clock() - min(moments)
        wait = max(_WITH_WATCH, _SHARE * self._took) if self._watch else self._window
        return not 0 <= age < wait

    def _start_watch(self) -> None:
        if self._watching and self._watch is None:
            try:
                self._watch = Watch(self._folders)
            except OSError:
                self._watching = False

    def _reported(self) -> dict[Path, set[str] | None]:
        if self._watch is None:
            return {}
        try:
            return self._watch.changed()
        except OSError:
            self._watch, self._watching = None, False
            return dict.fromkeys(self._folders)

    def _moved(self, connection: sqlite3.Connection, stamps: dict[Path, str]) -> set[Path]:
        """The folders whose time stamp is another than when they were compared."""
        rows = connection.execute("SELECT root, name, stamp FROM folders").fetchall()
        known = {(root, name): stamp for root, name, stamp in rows}
        return {folder for folder, key in self._folders.items() if known.get(key) != stamps[folder]}

    def _single(
        self, connection: sqlite3.Connection, reported: dict[Path, set[str] | None], stale: set[Path]
    ) -> list[tuple[str, str]]:
        """The files to be compared one by one: (root, path)."""
        named = [
            (self._folders[folder][0], f"{self._folders[folder][1]}/{name}")
            for folder, names in reported.items()
            for name in names or ()
            if name.endswith(".md") and not name.startswith(".")
        ]
        unsettled = connection.execute("SELECT root, path FROM files WHERE signature = ''").fetchall()
        every = dict.fromkeys([*named, *((root, path) for root, path in unsettled)])
        remaining = self._folders.keys() - stale
        return [(root, path) for root, path in every if Path(root, path).parent in remaining]

    def _compared(
        self, connection: sqlite3.Connection, stale: Iterable[Path], single: Iterable[tuple[str, str]]
    ) -> list[Change]:
        changes = [compare_one(connection, root, path) for root, path in single]
        found = [change for change in changes if change]
        for folder in sorted(stale):
            found += compare(connection, *self._folders[folder])
        return found

    def _note(
        self, connection: sqlite3.Connection, compared: set[Path], stamps: dict[Path, str], *, swept: bool
    ) -> None:
        for folder in compared:
            # Without a watch, what comes in the same tick of the clock would go unseen.
            stamp = stamps[folder] if self._watch or _settled(stamps[folder]) else ""
            _put_stamp(connection, *self._folders[folder], stamp)
        if swept:
            moments = [(root, self._clock()) for root in self._roots]
            connection.executemany("INSERT OR REPLACE INTO sweeps (root, at) VALUES (?, ?)", moments)
            _forget_lost_roots(connection)


def _stamp(folder: Path) -> str:
    """What tells that something came to or left `folder`."""
    try:
        stat = folder.lstat()
    except OSError:
        return "none"
    return f"{stat.st_mtime_ns}.{stat.st_ino}"


def _settled(stamp: str) -> bool:
    """Whether the same stamp later means that nothing came or went since it was taken."""
    return stamp == "none" or int(stamp.partition(".")[0]) < time.time_ns() - SETTLED_AFTER_NS


def _put_stamp(connection: sqlite3.Connection, root: str, name: str, stamp: str) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO folders (root, name, stamp) VALUES (?, ?, ?)", (root, name, stamp)
    )


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
