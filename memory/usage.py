"""How often each entry was recalled, on this machine: which entries earn their place, and which nobody needs.

Counts lie outside the bank, in one small SQLite file of the machine, so that reading the bank never changes
a file that is kept in git. Counting is best effort: recall must not fail or wait because a count cannot be
kept, so a locked, full or damaged file costs the count and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_WAIT_S: Final = 0.2
_TABLE: Final = """
    create table if not exists recalled (
        bank text not null, entry text not null, times integer not null, first text not null,
        latest text not null, primary key (bank, entry)
    ) without rowid
"""
_NOTE: Final = """
    insert into recalled values (?, ?, 1, ?, ?)
    on conflict (bank, entry) do update
    set times = times + 1, first = min(first, excluded.first), latest = max(latest, excluded.latest)
"""


@dataclass(frozen=True, slots=True)
class Use:
    """How often an entry was recalled, and when last (UTC)."""

    times: int
    latest: datetime


@dataclass(frozen=True, slots=True)
class Usage:
    """What was counted for one bank. `since` is the first recall of all; None when there was none."""

    since: datetime | None
    uses: Mapping[str, Use]

    def times(self, entry_id: str) -> int:
        """How often the entry was recalled."""
        use = self.uses.get(entry_id)
        return use.times if use else 0


NOTHING: Final = Usage(None, {})


def note(file: Path, bank: Path, entry_ids: Iterable[str], *, now: datetime) -> bool:
    """Count one recall of each entry of `bank` (the folder that is written). False when it was not kept.

    `now` is aware. Safe for many processes at once; never raises for what the disk does.
    """
    ids = sorted(set(entry_ids))
    if not ids:
        return True
    moment = now.astimezone(UTC).isoformat(timespec="seconds")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=_WAIT_S)) as counts, counts:
            counts.execute(_TABLE)
            counts.executemany(_NOTE, [(str(bank), one, moment, moment) for one in ids])
    except (OSError, sqlite3.Error):
        return False
    return True


def read(file: Path, bank: Path) -> Usage:
    """What was counted for `bank`. A file that is missing or cannot be read counted nothing."""
    if not file.exists():
        return NOTHING
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)) as counts:
            rows = counts.execute(
                "select entry, times, first, latest from recalled where bank = ?", (str(bank),)
            ).fetchall()
        uses = {entry: Use(times, datetime.fromisoformat(latest)) for entry, times, _, latest in rows}
        since = min((datetime.fromisoformat(first) for _, _, first, _ in rows), default=None)
    except (sqlite3.Error, ValueError, TypeError):
        return NOTHING
    return Usage(since, uses)
