from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from memory import Bank, BankConflict, Draft, Entry
from memory.files import KEYS_NAME
from memory.keys import id_key, keys_of
from memory.lookup import Lookup


def never(path: str) -> Entry | None:
    raise AssertionError(f"{path} was read")


@pytest.fixture
def filled(bank: Bank, draft: Draft, now: datetime) -> Bank:
    for number in range(6):
        one = replace(draft, title=f"Lesson {number}", action=f"Set parameter_{number} to {number} kB.")
        bank.add(one, source="s", now=now)
    return bank


def test_a_key_leads_to_its_file_without_reading_the_others(filled: Bank) -> None:
    lookup = Lookup(filled.root)
    lookup.refresh(never)
    for entry in filled.entries():
        for key in keys_of(entry):
            assert [filled.load(path) for path in lookup.find([key]) or ()] == [entry]
    assert lookup.find([id_key("01M808TX00693XAWKJNQXB21C8")]) == []


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
        (filled.root / KEYS_NAME).unlink()
    else:
        (filled.root / KEYS_NAME).write_bytes(content)
    assert Bank(filled.root).get(entry.id) == entry
    again = replace(draft, title=entry.title, action=entry.action)
    assert Bank(filled.root).add(again, source="s", now=now).entry.id == entry.id
    lookup = Lookup(filled.root)
    lookup.refresh(never)
    assert lookup.find([id_key(entry.id)])


def test_a_cache_that_is_a_link_is_not_followed(filled: Bank, tmp_path: Path, now: datetime) -> None:
    cache = filled.root / KEYS_NAME
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
