from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from memory import Bank, BankConflict, Draft
from memory.files import INDEX_NAME
from memory.lookup import Lookup


@pytest.fixture
def filled(bank: Bank, draft: Draft, now: datetime) -> Bank:
    for number in range(6):
        one = replace(draft, title=f"Lesson {number}", action=f"Set parameter_{number} to {number} kB.")
        bank.add(one, source="s", now=now)
    return bank


def test_an_id_and_a_repetition_lead_to_their_file(filled: Bank) -> None:
    lookup = Lookup(filled.root)
    lookup.refresh(locked=False)
    for entry in filled.entries():
        for places in (lookup.called(entry.id), lookup.called(entry.id[-8:]), lookup.repeating(entry)):
            assert [filled.load(path) for path in places or ()] == [entry]
    assert lookup.called("01M808TX00693XAWKJNQXB21C8") == []


def test_a_bank_that_was_never_looked_through_is_not_taken_for_empty(filled: Bank, tmp_path: Path) -> None:
    entry = filled.entries()[0]
    moved = filled.root.rename(tmp_path / "elsewhere")
    assert Lookup(moved).called(entry.id) is None
    assert Bank(moved).get(entry.id) == entry


def test_what_a_person_adds_and_removes_is_taken_in(filled: Bank, draft: Draft, now: datetime) -> None:
    other = Bank(filled.root.parent / "other").add(draft, source="s", now=now)
    place = filled.root / "database-optimizations" / "by-hand.md"
    place.write_bytes(other.path.read_bytes())
    os.utime(place.parent)
    assert filled.add(draft, source="s", now=now).merged
    place.unlink()
    again = filled.add(draft, source="s", now=now)
    assert not again.merged


def test_an_edit_that_replaces_the_file_is_taken_in(filled: Bank, draft: Draft, now: datetime) -> None:
    entry = next(one for one in filled.entries() if one.title == "Lesson 0")
    path, text = filled.source(entry.id)
    new = path.with_name("new")
    new.write_text(text.replace("parameter_0", "parameter_77"))
    new.replace(path)
    os.utime(path.parent)  # as a moment later: the clock of the filesystem is coarse
    known = replace(draft, title="Lesson 0", action="Set parameter_77 to 0 kB.")
    assert filled.add(known, source="s", now=now).entry.id == entry.id


@pytest.mark.parametrize(
    "content", [None, b"", b"no database at all" * 100, b"SQLite format 3\0" + bytes(4080)]
)
def test_a_missing_or_broken_cache_is_built_anew(
    filled: Bank, draft: Draft, now: datetime, content: bytes | None
) -> None:
    entry = filled.entries()[3]
    if content is None:
        (filled.root / INDEX_NAME).unlink()
    else:
        (filled.root / INDEX_NAME).write_bytes(content)
    assert Bank(filled.root).get(entry.id) == entry
    again = replace(draft, title=entry.title, action=entry.action)
    assert Bank(filled.root).add(again, source="s", now=now).entry.id == entry.id
    assert Lookup(filled.root).called(entry.id)


def test_a_cache_that_is_a_link_is_not_followed(filled: Bank, tmp_path: Path, now: datetime) -> None:
    cache = filled.root / INDEX_NAME
    elsewhere = tmp_path / "elsewhere"
    cache.rename(elsewhere)
    before = elsewhere.read_bytes()
    cache.symlink_to(elsewhere)
    entry = filled.entries()[0]
    assert filled.record_outcome(entry.id, "worked", now=now).count("worked") == 2
    assert elsewhere.read_bytes() == before


def test_a_successor_is_found_by_what_it_supersedes(filled: Bank, draft: Draft, now: datetime) -> None:
    old = filled.entries()[0]
    filled.supersede(old.id, draft, source="s", now=now)
    fresh = Bank(filled.root)
    with pytest.raises(BankConflict, match="already superseded"):
        fresh.supersede(old.id, replace(draft, action="Something else again."), source="s", now=now)
