from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from memory import Bank, Draft
from memory.files import INDEX_NAME
from memory.fingerprint import error_runs
from memory.freshness import Freshness
from memory.index import Index
from memory.storage import VERSION
from memory.tokens import query_terms

Find = Callable[[str], list[str]]


@pytest.fixture
def location(bank: Bank) -> Path:
    return bank.root / INDEX_NAME


@pytest.fixture
def index(bank: Bank, location: Path) -> Index:
    return Index(location, [bank.root])


@pytest.fixture
def found(index: Index) -> Find:
    return lambda query: [hit.entry_id for hit in index.search(query_terms(query)).hits]


@pytest.fixture
def entry_id(bank: Bank, draft: Draft, now: datetime) -> str:
    other = Draft("Rotate the webhook key", "handoffs", "Rotated it on srv-abc.", "Deploys go on.")
    bank.add(other, source="s", now=now)
    entry = bank.add(replace(draft, why="It raised 42P17 in getTimeline."), source="s", now=now).entry
    (bank.root / INDEX_NAME).unlink()  # writing made it
    return entry.id


@pytest.mark.parametrize(
    "query",
    [
        "patient_clinical_events",
        "patientClinicalEvents",
        "clinical",
        "error 42P17",
        "getTimeline",
        "indexes",
        "TIMELINES",
    ],
)
def test_words_and_identifiers_find_their_entry(entry_id: str, found: Find, query: str) -> None:
    assert found(query) == [entry_id]


def test_one_matching_word_is_enough_and_common_words_are_not(entry_id: str, found: Find) -> None:
    assert found("why does the timeline of unicorns crawl") == [entry_id]
    assert found("what is it on") == []
    assert found('"; DROP TABLE files; -- NEAR(') == []


def test_a_whole_identifier_beats_its_parts(bank: Bank, entry_id: str, found: Find, now: datetime) -> None:
    parts = Draft("Clinical staff", "handoffs", "The patient events are clinical.", "Noted by staff.")
    bank.add(parts, source="s", now=now)
    assert found("patient_clinical_events")[0] == entry_id
    assert len(found("patient_clinical_events")) == 2


def test_the_index_follows_the_files(bank: Bank, entry_id: str, found: Find) -> None:
    assert found("zebra") == []
    (path,) = (path for path in bank.root.rglob("*.md") if path.name.startswith("timeline"))
    path.write_text(path.read_text().replace("14 ms", "12 zebra"))
    assert found("zebra") == [entry_id]
    path.write_text("broken by hand")
    assert found("timeline") == []
    path.unlink()
    assert found("timeline") == []


def test_a_missing_index_is_built_again(entry_id: str, found: Find, location: Path) -> None:
    assert found("timeline") == [entry_id]
    location.unlink()
    assert found("timeline") == [entry_id]
    assert location.stat().st_size > 0


def test_a_corrupt_index_heals_itself(entry_id: str, found: Find, location: Path) -> None:
    assert found("timeline") == [entry_id]
    location.write_bytes(b"not a database at all" * 100)
    assert found("timeline") == [entry_id]
    with sqlite3.connect(location) as connection:
        assert connection.execute("SELECT count(*) FROM files").fetchone() == (2,)


def test_a_torn_index_heals_itself(entry_id: str, found: Find, location: Path) -> None:
    assert found("timeline") == [entry_id]
    content = location.read_bytes()
    location.write_bytes(content[:4096] + b"\xff" * 4096 + content[8192:])
    assert found("timeline") == [entry_id]


def test_an_index_of_another_version_is_replaced(entry_id: str, found: Find, location: Path) -> None:
    with sqlite3.connect(location) as connection:
        connection.execute("CREATE TABLE files (a)")
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert found("timeline") == [entry_id]
    with sqlite3.connect(location) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_folder_that_takes_no_index_is_searched_in_memory(
    entry_id: str, found: Find, location: Path
) -> None:
    location.mkdir()
    assert found("timeline") == [entry_id]
    assert location.is_dir()


def test_an_index_that_is_a_link_is_not_followed(
    entry_id: str, found: Find, location: Path, tmp_path: Path
) -> None:
    location.symlink_to(tmp_path / "elsewhere")
    assert found("timeline") == [entry_id]
    assert not (tmp_path / "elsewhere").exists()


def test_a_locked_index_is_left_alone(entry_id: str, bank: Bank, location: Path) -> None:
    Index(location, [bank.root]).search(["timeline"])
    holder = sqlite3.connect(location, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    index = Index(location, [bank.root], patience=0.05)
    assert [hit.entry_id for hit in index.search(["timeline"]).hits] == [entry_id]
    holder.execute("ROLLBACK")
    assert holder.execute("SELECT count(*) FROM files").fetchone() == (2,)
    holder.close()


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def settle(bank: Bank) -> None:
    """Give every file and folder a time stamp that is old enough to be relied on."""
    for path in bank.root.rglob("*"):
        os.utime(path, ns=(1, 1))


def test_a_second_look_compares_nothing_and_a_new_file_is_seen(
    bank: Bank, entry_id: str, index: Index
) -> None:
    settle(bank)
    assert index.refresh() == 2
    assert index.refresh() == 0
    (bank.root / "handoffs" / "new.md").write_text("new")
    assert index.refresh() == 1


def test_without_a_watch_an_edit_in_place_is_seen_after_a_second(
    bank: Bank, entry_id: str, location: Path
) -> None:
    settle(bank)
    clock = Clock()
    index = Index(location, [bank.root], freshness=Freshness([str(bank.root)], watching=False, clock=clock))
    assert index.refresh() == 2
    (path,) = (path for path in bank.root.rglob("*.md") if path.name.startswith("timeline"))
    path.write_text(path.read_text().replace("14 ms", "12 zebra"))
    assert not index.search(["zebra"]).hits
    clock.now += 1.1
    assert [hit.entry_id for hit in index.search(["zebra"]).hits] == [entry_id]


def test_a_clock_set_back_compares_everything(bank: Bank, entry_id: str, location: Path) -> None:
    settle(bank)
    clock = Clock()
    index = Index(location, [bank.root], freshness=Freshness([str(bank.root)], watching=False, clock=clock))
    index.refresh()
    (path,) = (path for path in bank.root.rglob("*.md") if path.name.startswith("timeline"))
    path.write_text(path.read_text().replace("14 ms", "12 zebra"))
    clock.now -= 500
    assert [hit.entry_id for hit in index.search(["zebra"]).hits] == [entry_id]


def test_a_category_that_comes_later_is_watched_too(
    index: Index, bank: Bank, found: Find, now: datetime
) -> None:
    assert found("zebra") == []
    draft = Draft("Zebra crossing", "handoffs", "Painted the zebra.", "It is seen by all.")
    entry = bank.add(draft, source="s", now=now).entry
    assert found("zebra") == [entry.id]
    (path,) = bank.root.rglob("*.md")
    path.write_text(path.read_text().replace("seen by all", "striped okapi"))
    assert found("okapi") == [entry.id]


def test_a_folder_put_in_the_place_of_another_is_read(bank: Bank, entry_id: str, found: Find) -> None:
    assert found("timeline") == [entry_id]
    folder = bank.root / "database-optimizations"
    folder.rename(bank.root / "elsewhere")
    assert found("timeline") == []
    (bank.root / "elsewhere").rename(folder)
    assert found("timeline") == [entry_id]


def test_the_same_failure_with_other_values_finds_its_fix(bank: Bank, found: Find, now: datetime) -> None:
    fix = Draft(
        "Pool size of the worker",
        "problem-solutions",
        "Set the pool to 5.",
        "No further failure.",
        context='FATAL: remaining connection slots are reserved for "postgres" (pid 4711)',
    )
    decoy = Draft(
        "Reserved slots of the calendar", "handoffs", "Reserved the connection slots.", "Remaining: 3 slots."
    )
    entry = bank.add(fix, source="s", now=now).entry
    bank.add(decoy, source="s", now=now)
    terms = error_runs("2026-11-02 srv-9 FATAL:  remaining connection slots are reserved for 'app'")
    assert [hit.entry_id for hit in Index(None, [bank.root]).search(terms).hits] == [entry.id]


def test_a_bank_that_is_gone_leaves_the_index(
    entry_id: str, bank: Bank, location: Path, tmp_path: Path, draft: Draft, now: datetime
) -> None:
    lost = Bank(tmp_path / "lost")
    lost.add(draft, source="s", now=now)
    both = Index(location, [bank.root, lost.root])
    assert {hit.bank for hit in both.search(["timeline"]).hits} == {0, 1}
    for path in sorted(lost.root.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    lost.root.rmdir()
    assert [hit.entry_id for hit in both.search(["timeline"]).hits] == [entry_id]


def test_an_edit_made_while_the_index_was_held_is_seen_afterwards(
    entry_id: str, bank: Bank, location: Path
) -> None:
    settle(bank)
    index = Index(location, [bank.root], patience=0.05)
    index.refresh()
    holder = sqlite3.connect(location, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    (path,) = (path for path in bank.root.rglob("*.md") if path.name.startswith("timeline"))
    path.write_text(path.read_text().replace("14 ms", "12 zebra"))
    assert [hit.entry_id for hit in index.search(["zebra"]).hits] == [entry_id]  # in memory
    holder.close()
    assert [hit.entry_id for hit in index.search(["zebra"]).hits] == [entry_id]
    (row,) = sqlite3.connect(location).execute("SELECT count(*) FROM texts WHERE texts MATCH 'zebra'")
    assert row == (1,)


def test_several_processes_may_build_it_at_once(entry_id: str, bank: Bank) -> None:
    code = (
        "import sys; from pathlib import Path; from memory.index import Index; root = Path(sys.argv[1]);"
        "print(len(Index(root / '.index.sqlite', [root]).search(['timeline']).hits))"
    )
    command = [sys.executable, "-c", code, str(bank.root)]
    cwd = Path(__file__).parents[2]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=cwd) for _ in range(4)]
    assert [process.communicate(timeout=60)[0] for process in running] == ["1\n"] * 4


def test_after_our_own_write_only_its_file_is_looked_at(
    bank: Bank, entry_id: str, index: Index, draft: Draft, now: datetime
) -> None:
    settle(bank)
    index.refresh()
    Bank(bank.root).add(replace(draft, title="Zebra", action="Painted 7 stripes."), source="s", now=now)
    assert index.refresh() <= 1  # only to note that its time stamp can be relied on now
    assert len(index.search(["zebra"]).hits) == 1
