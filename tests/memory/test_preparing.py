"""Other processes share the work of a cold rebuild: they give the same rows, and may die."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime

import pytest

from memory import Bank, Draft, intake
from memory.files import INDEX_NAME
from memory.index import Index
from memory.intake import compare
from memory.preparing import Colleagues, Part, prepared
from memory.storage import in_memory

_ROWS = (
    "SELECT row, path, digest, entry_id, same, near FROM files ORDER BY row",
    "SELECT rowid, title, tags, scope, names, failure, body FROM texts ORDER BY rowid",
    "SELECT row, old_id, new_id, retired FROM links ORDER BY row, old_id",
)


@pytest.fixture
def parts(bank: Bank, draft: Draft, now: datetime) -> Iterator[list[Part]]:
    """Twelve entries, in three parts."""
    for number in range(12):
        one = replace(draft, title=f"Lock {number} exceeded", action=f"{draft.action} {number}")
        bank.add(one, source="measured", now=now)
    with closing(in_memory()) as empty:
        changes = compare(empty, str(bank.root), draft.category)
    assert len(changes) == 12
    yield [Part(changes[start : start + 4], start) for start in (0, 4, 8)]


def test_colleagues_prepare_what_we_would(parts: list[Part]):
    with Colleagues(parts) as colleagues:
        found = [colleagues.prepared(number, part) for number, part in enumerate(parts)]
    assert found == [prepared(part) for part in parts]
    assert len(found[0].texts) > 100


def test_nothing_is_lost_when_they_die(parts: list[Part]):
    with Colleagues(parts) as colleagues:
        first = colleagues.prepared(0, parts[0])
        for process in colleagues._processes:  # pyright: ignore[reportPrivateUsage]  killed here
            assert process
            os.kill(process.pid, signal.SIGKILL)
        rest = [colleagues.prepared(number, part) for number, part in enumerate(parts) if number]
    assert [first, *rest] == [prepared(part) for part in parts]


def test_where_none_can_be_started_the_work_is_done_here(parts: list[Part], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with Colleagues(parts) as colleagues:
        found = [colleagues.prepared(number, part) for number, part in enumerate(parts)]
    assert found == [prepared(part) for part in parts]


def test_a_rebuild_in_shared_parts_gives_the_rows_of_one_by_one(
    bank: Bank, parts: list[Part], monkeypatch: pytest.MonkeyPatch
):
    def rebuilt() -> list[list[tuple[object, ...]]]:
        for file in bank.root.glob(f"{INDEX_NAME}*"):
            file.unlink()
        Index(bank.root / INDEX_NAME, [bank.root]).refresh()
        with closing(sqlite3.connect(bank.root / INDEX_NAME)) as connection:
            return [connection.execute(query).fetchall() for query in _ROWS]

    alone = rebuilt()
    monkeypatch.setattr(intake, "_AT_ONCE", 1)
    monkeypatch.setattr(intake, "_MANY", 2)
    assert rebuilt() == alone
    assert len(alone[0]) == len(alone[1]) == 12
