from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from memory import (
    Bank,
    BankConflict,
    BankUnavailable,
    Draft,
    Entry,
    InvalidEntry,
    Outcome,
    RefusedEntry,
    UnknownEntry,
    edits,
    parse_entry,
)


def saved(bank: Bank, draft: Draft, now: datetime) -> Entry:
    return bank.add(draft, source="session 1", now=now).entry


def test_a_saved_entry_is_a_readable_file_in_its_category(bank: Bank, draft: Draft, now: datetime) -> None:
    result = bank.add(draft, source="session 1", now=now)
    assert not result.merged
    assert result.path.parent == bank.root / "database-optimizations"
    assert result.path.name.startswith("timeline-query-index-on-patient-clinical-events--")
    assert parse_entry(result.path.read_text()) == result.entry
    assert bank.entries() == (result.entry,)
    assert bank.get(result.entry.id) == bank.get(result.entry.id[-8:].lower()) == result.entry
    assert bank.problems() == ()


def test_saying_the_same_again_becomes_an_outcome(bank: Bank, draft: Draft, now: datetime) -> None:
    first = saved(bank, draft, now)
    again = bank.add(replace(draft, outcome="failed", result="No change in p95."), source="s 2", now=now)
    assert again.merged
    assert again.entry.id == first.id
    assert [outcome.result for outcome in again.entry.outcomes] == ["worked", "failed"]
    assert "Already known" in again.message
    assert "contradict" in again.message
    assert len(bank.entries()) == 1


def test_relearning_a_retired_entry_says_that_it_is_retired(bank: Bank, draft: Draft, now: datetime) -> None:
    entry = saved(bank, draft, now)
    bank.retire(entry.id, "The table was partitioned.")
    again = bank.add(draft, source="session 2", now=now)
    assert again.merged
    assert "That entry is retired" in again.message
    assert bank.get(entry.id).retired_because == "The table was partitioned."


def test_an_outcome_is_appended_and_nothing_else_changes(bank: Bank, draft: Draft, now: datetime) -> None:
    result = bank.add(draft, source="session 1", now=now)
    before = result.path.read_text()
    entry = bank.record_outcome(result.entry.id, "partly", now=now, ref="dep-1", note="better,\nnot good")
    assert entry.outcomes[-1] == Outcome(now, "dep-1", "partly", "better, not good")
    added = (
        '  - when: 2026-11-22T09:30:00Z\n    ref: dep-1\n    result: partly\n    note: "better, not good"\n'
    )
    assert result.path.read_text().replace(added, "") == before


def test_a_replacement_points_back_and_closes_the_old_one(bank: Bank, draft: Draft, now: datetime) -> None:
    old = saved(bank, draft, now)
    better = replace(draft, action="Partitioned the table by month.")
    result = bank.supersede(old.id, better, source="session 2", now=now)
    assert result.entry.supersedes == (old.id,)
    assert bank.get(old.id).status == "superseded"
    with pytest.raises(BankConflict, match=f"already superseded by .*{result.entry.id}"):
        bank.supersede(old.id, replace(draft, action="Yet another way."), source="s", now=now)


def test_an_unknown_id_is_named(bank: Bank, now: datetime) -> None:
    for call in (
        lambda: bank.get("01M808"),
        lambda: bank.record_outcome("01M808", "worked", now=now),
        lambda: bank.retire("01M808", "reason"),
    ):
        with pytest.raises(UnknownEntry, match="no entry '01M808'"):
            call()
    with pytest.raises(UnknownEntry):
        bank.get("../../*")


def test_retiring_needs_a_reason(bank: Bank, draft: Draft, now: datetime) -> None:
    entry = saved(bank, draft, now)
    with pytest.raises(InvalidEntry, match="needs a reason"):
        bank.retire(entry.id, " ")


def test_an_entry_that_a_person_renamed_is_still_found(bank: Bank, draft: Draft, now: datetime) -> None:
    result = bank.add(draft, source="session 1", now=now)
    result.path.rename(result.path.with_name("our-name.md"))
    bank.record_outcome(result.entry.id, "worked", now=now)
    assert bank.get(result.entry.id).count("worked") == 2


def test_an_edit_a_person_makes_meanwhile_is_merged(bank: Bank, draft: Draft, now: datetime) -> None:
    result = bank.add(draft, source="session 1", now=now)
    edited: list[str] = []

    def outcome_while_a_person_saves(text: str) -> str:
        if not edited:
            edited.append(text)
            result.path.write_text(text.replace("14 ms", "12 ms, says the owner"))
        return edits.with_outcome(text, Outcome(now, "ref", "worked"))

    bank.change(result.entry.id, outcome_while_a_person_saves)
    text = result.path.read_text()
    assert "12 ms, says the owner" in text
    assert "ref: ref" in text


def test_a_file_that_never_rests_is_left_to_its_author(bank: Bank, draft: Draft, now: datetime) -> None:
    result = bank.add(draft, source="session 1", now=now)

    def edit(text: str) -> str:
        result.path.write_text(text + "more\n")
        return edits.as_superseded(text)

    with pytest.raises(BankConflict, match="keeps changing"):
        bank.change(result.entry.id, edit)
    assert "status: active" in result.path.read_text()


def test_broken_files_are_reported_and_the_rest_works(bank: Bank, draft: Draft, now: datetime) -> None:
    result = bank.add(draft, source="session 1", now=now)
    text = result.path.read_text()
    folder = result.path.parent
    conflict = text.replace(
        "status: active", "<<<<<<< HEAD\nstatus: active\n=======\nstatus: retired\n>>>>>>> b"
    )
    (folder / "conflict.md").write_text(conflict)
    (folder / "notes.md").write_text("just notes\n")
    (folder / "latin.md").write_bytes(b"---\ntitle: caf\xe9\n---\n")
    (folder / "link.md").symlink_to(result.path)
    (bank.root / "misc").mkdir()
    (bank.root / "misc" / "a.md").write_text(text)
    found = {problem.path.name: problem.message for problem in bank.problems()}
    assert found.keys() == {"conflict.md", "notes.md", "latin.md", "link.md", "misc"}
    assert "merge conflict at line" in found["conflict.md"]
    result.path.write_text(conflict)
    with pytest.raises(UnknownEntry, match=r"cannot be read: Git left a merge conflict at line \d+; resolve"):
        bank.record_outcome(result.entry.id, "worked", now=now)
    result.path.write_text(text)
    assert bank.entries() == (result.entry,)
    assert bank.record_outcome(result.entry.id, "worked", now=now).count("worked") == 2


def test_copies_and_misplaced_files_are_reported_and_still_count(
    bank: Bank, draft: Draft, now: datetime
) -> None:
    result = bank.add(draft, source="session 1", now=now)
    (bank.root / "handoffs").mkdir()
    (bank.root / "handoffs" / "copy.md").write_text(result.path.read_text())
    messages = [problem.message for problem in bank.problems()]
    assert sum("same id" in message for message in messages) == 2
    assert sum("another folder than its category" in message for message in messages) == 1
    assert len(bank.entries()) == 1


def test_an_edit_that_breaks_the_entry_is_not_written(bank: Bank, draft: Draft, now: datetime) -> None:
    result = bank.add(draft, source="session 1", now=now)
    with pytest.raises(InvalidEntry):
        bank.change(result.entry.id, lambda text: text.replace("---", ""))
    assert bank.get(result.entry.id) == result.entry


def test_what_the_caller_refuses_is_never_written(tmp_path: Path, draft: Draft, now: datetime) -> None:
    bank = Bank(tmp_path, refuse=lambda text: "It names a patient." if "Jane" in text else None)
    with pytest.raises(RefusedEntry, match="names a patient"):
        bank.add(replace(draft, why="Jane asked for it."), source="s", now=now)
    entry = saved(bank, draft, now)
    for write in (
        lambda: bank.record_outcome(entry.id, "worked", now=now, note="for Jane"),
        lambda: bank.retire(entry.id, "Jane said so"),
        lambda: bank.supersede(entry.id, replace(draft, title="For Jane"), source="s", now=now),
    ):
        with pytest.raises(RefusedEntry):
            write()
    assert not any("Jane" in path.read_text() for path in tmp_path.rglob("*.md"))
    assert bank.get(entry.id).status == "active"


def test_what_a_person_wrote_and_the_caller_refuses_is_withheld_and_reported(
    tmp_path: Path, draft: Draft, now: datetime
) -> None:
    result = Bank(tmp_path).add(replace(draft, why="Jane asked for it."), source="s", now=now)
    bank = Bank(tmp_path, refuse=lambda text: "It names a patient." if "Jane" in text else None)
    assert bank.entries() == ()
    assert [(one.path, one.message) for one in bank.problems()] == [(result.path, "It names a patient.")]
    with pytest.raises(UnknownEntry):
        bank.get(result.entry.id)


def test_texts_that_would_break_a_file_are_refused(bank: Bank, draft: Draft, now: datetime) -> None:
    marks = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main"
    for text, sentence in {"a\0bcd": "NUL", "abc\ud800": "surrogate", marks: "conflict markers"}.items():
        with pytest.raises(InvalidEntry, match=sentence):
            bank.add(replace(draft, why=text), source="s", now=now)
    entry = saved(bank, draft, now)
    with pytest.raises(InvalidEntry, match="NUL"):
        bank.record_outcome(entry.id, "worked", now=now, note="a\0b")


def test_a_read_only_bank_is_read_and_not_written(bank: Bank, draft: Draft, now: datetime) -> None:
    entry = saved(bank, draft, now)
    reader = Bank(bank.root, read_only=True)
    assert reader.get(entry.id) == entry
    with pytest.raises(BankUnavailable, match="read-only"):
        reader.record_outcome(entry.id, "worked", now=now)
    assert Bank(bank.root / "missing", read_only=True).entries() == ()
    assert not (bank.root / "missing").exists()


def test_a_bank_sees_what_others_write(bank: Bank, draft: Draft, now: datetime) -> None:
    entry = saved(bank, draft, now)
    other = Bank(bank.root)
    assert other.entries() == (entry,)
    for step in range(3):
        changed = bank.record_outcome(entry.id, "worked", now=now + timedelta(seconds=step))
        assert other.entries() == (changed,)


@pytest.mark.parametrize("name", ["database-optimizations", ".history"])
def test_a_folder_that_is_a_link_is_not_written_through(
    bank: Bank, draft: Draft, now: datetime, tmp_path: Path, name: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    bank.root.mkdir()
    (bank.root / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BankUnavailable, match="symbolic link, which is not followed"):
        bank.add(draft, source="s", now=now)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_entry_that_grew_too_long_says_so_and_stays_readable(
    bank: Bank, draft: Draft, now: datetime
) -> None:
    entry = saved(bank, draft, now)
    with pytest.raises(InvalidEntry, match="it has at most 262144"):
        bank.change(entry.id, lambda text: text + "x" * 262_144)
    assert bank.get(entry.id) == entry
