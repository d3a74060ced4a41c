from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory import Bank, Draft, InvalidEntry, RefusedEntry, UnknownEntry, history, parse_entry
from memory.files import HISTORY_NAME
from memory.history_journal import (
    MAX_BYTES,
    UNKNOWN,
    Present,
    journal_path,
    note,
    present,
    read_journal,
    void,
)
from memory.writing import Note, write


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path / "bank", who="anna")


def told(bank: Bank, entry_id: str | None = None) -> list[tuple[str, str, str]]:
    """who, how and summary, oldest first."""
    return [(one.who, one.how, one.summary) for one in reversed(history.log(bank, entry_id))]


def git(folder: Path, *words: str, who: str = "Cleo") -> str:
    command = [
        "git",
        "-c",
        f"user.name={who}",
        "-c",
        "user.email=nobody",
        "-c",
        "commit.gpgsign=false",
        *words,
    ]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_every_write_says_who_did_what(bank: Bank, draft: Draft, now: datetime) -> None:
    started = datetime.now(UTC)
    old = bank.add(draft, source="s", now=now).entry
    bank.record_outcome(old.id, "failed", now=now, ref="dep-1")
    new = bank.supersede(old.id, replace(draft, action="Partitioned it."), source="s", now=now).entry
    bank.retire(new.id, "no such table")
    assert told(bank, old.id) == [
        ("anna", "added", "new entry in database-optimizations"),
        ("anna", "outcome", "outcome failed (dep-1)"),
        ("anna", "superseded", "status active to superseded"),
    ]
    assert told(bank, new.id[-8:])[-1][1:] == ("retired", "status active to retired; because: no such table")
    every = history.log(bank)
    assert {one.entry_id for one in every} == {old.id, new.id}
    assert [one.when for one in every] == sorted((one.when for one in every), reverse=True)
    assert all(started <= one.when <= datetime.now(UTC) for one in every)
    assert history.log(bank, limit=2) == every[:2]


def test_an_edit_by_a_person_is_theirs_before_and_after_our_next_write(
    bank: Bank, draft: Draft, now: datetime
) -> None:
    saved = bank.add(draft, source="s", now=now)
    saved.path.write_text(saved.path.read_text().replace("fell from 820 ms", "fell from 900 ms"))
    first = history.log(bank)[0]
    assert (first.who, first.how, first.id) == (UNKNOWN, "edited", f"{saved.entry.id[-8:].lower()}.now")
    assert "+p95 of the timeline fell from 900 ms to 14 ms." in history.diff(bank, first.id)
    bank.record_outcome(saved.entry.id, "worked", now=now)
    assert [(who, how) for who, how, _ in told(bank)] == [
        ("anna", "added"), (UNKNOWN, "edited"), ("anna", "outcome"),
    ]  # fmt: skip


def test_a_file_that_only_a_person_wrote_has_a_history_too(bank: Bank, draft: Draft, now: datetime) -> None:
    saved = bank.add(draft, source="s", now=now)
    assert history.forget(bank, saved.entry.id)
    assert [how for _, how, _ in told(bank)] == ["written"]
    bank.record_outcome(saved.entry.id, "worked", now=now)
    assert [(who, how) for who, how, _ in told(bank)] == [(UNKNOWN, "written"), ("anna", "outcome")]


def test_a_text_comes_back_byte_for_byte(bank: Bank, draft: Draft, now: datetime) -> None:
    saved = bank.add(draft, source="s", now=now)
    by_hand = "\ufeff" + saved.path.read_text().replace("\n", "\r\n").replace(
        "tags:", "# ours\r\nx-own: 1\r\ntags:"
    )
    saved.path.write_bytes(by_hand.encode())
    bank.retire(saved.entry.id, "wrong")
    edited = next(one for one in history.log(bank) if one.how == "edited")
    restored = history.restore(bank, edited.id)
    assert saved.path.read_bytes() == by_hand.encode()
    assert restored.status == "active"
    assert told(bank)[-1][:2] == ("anna", "restored")


def test_a_removed_entry_comes_back(bank: Bank, draft: Draft, now: datetime) -> None:
    saved = bank.add(draft, source="s", now=now)
    text = saved.path.read_bytes()
    saved.path.unlink()
    gone = history.log(bank, saved.entry.id)[0]
    assert (gone.how, gone.title) == ("removed", draft.title)
    assert history.restore(bank, gone.id) == saved.entry
    assert saved.path.read_bytes() == text
    assert [how for _, how, _ in told(bank)] == ["added", "removed", "restored"]


def test_an_entry_that_is_written_in_another_place_was_not_removed(
    bank: Bank, draft: Draft, now: datetime
) -> None:
    saved = bank.add(draft, source="s", now=now)
    text = saved.path.read_text().replace("category: database-optimizations", "category: handoffs")
    place = bank.root / "handoffs" / saved.path.name
    place.parent.mkdir()
    write(bank.root, place, parse_entry(text), None, text.encode(), Note("anna", "edited", lambda _: True))
    saved.path.unlink()
    assert told(bank)[1:] == [("anna", "edited", "category database-optimizations to handoffs")]


def test_unknown_changes_and_entries_are_named(bank: Bank, draft: Draft, now: datetime) -> None:
    tail = bank.add(draft, source="s", now=now).entry.id[-8:].lower()
    for wrong in ("", "x", f"{tail}.9", f"{tail}@abc", "01234567.1", "../../x.1"):
        with pytest.raises(UnknownEntry):
            history.diff(bank, wrong)
    with pytest.raises(UnknownEntry):
        history.log(bank, "01234567")


def test_what_is_refused_is_neither_kept_nor_shown(tmp_path: Path, draft: Draft, now: datetime) -> None:
    bank = Bank(tmp_path, refuse=lambda text: "It names a patient." if "Jane" in text else None)
    saved = bank.add(draft, source="s", now=now)
    clean = saved.path.read_text()
    saved.path.write_text(clean.replace("tags:", "retired_because: Jane said so\ntags:"))
    edit = history.log(bank)[0]
    assert (edit.title, edit.summary) == (history.WITHHELD, history.WITHHELD)
    with pytest.raises(RefusedEntry, match="names a patient"):
        history.diff(bank, edit.id)
    with pytest.raises(RefusedEntry):
        history.restore(bank, edit.id)
    saved.path.write_text(clean)
    bank.record_outcome(saved.entry.id, "worked", now=now)
    note(
        tmp_path, saved.entry.id, now=present(saved.path), after=clean.encode(), who="x", how="edited",
        keep=lambda text: "Jane" not in text,
    )  # fmt: skip
    assert not any(b"Jane" in path.read_bytes() for path in (tmp_path / HISTORY_NAME).rglob("*.jsonl"))


def test_a_person_s_refused_text_is_not_copied_into_the_journal(
    tmp_path: Path, draft: Draft, now: datetime
) -> None:
    bank = Bank(tmp_path)
    saved = bank.add(draft, source="s", now=now)
    clean = saved.path.read_bytes()
    saved.path.write_text(saved.path.read_text().replace(draft.title, "For Jane"))
    known = present(saved.path)
    note(
        tmp_path, saved.entry.id, now=known, after=clean, who="x", how="edited", keep=lambda _: False
    )  # fmt: skip
    journal = read_journal(journal_path(tmp_path, saved.entry.id))
    assert [(one.how, one.title) for one in journal.records][1] == ("edited", "")
    assert known is not None and journal.text(known.digest) is None


def test_a_write_that_never_happened_is_not_told(bank: Bank, draft: Draft, now: datetime) -> None:
    saved = bank.add(draft, source="s", now=now)
    before = present(saved.path)
    after = saved.path.read_bytes().replace(b"14 ms", b"1 ms")
    note(bank.root, saved.entry.id, now=before, after=after, who="anna", how="edited", keep=lambda _: True)
    assert [how for _, how, _ in told(bank)] == ["added"]  # killed before the file changed
    bank.record_outcome(saved.entry.id, "worked", now=now)
    assert [how for _, how, _ in told(bank)] == ["added", "outcome"]
    number = note(
        bank.root,
        saved.entry.id,
        now=present(saved.path),
        after=after,
        who="a",
        how="edited",
        keep=lambda _: True,
    )
    void(bank.root, saved.entry.id, number)
    assert [how for _, how, _ in told(bank)] == ["added", "outcome"]


@given(st.integers(0, 4000), st.binary(max_size=40).map(lambda junk: junk.replace(b"\n", b"")))
def test_a_torn_or_foreign_line_costs_that_line_alone(cut: int, junk: bytes) -> None:
    text = b"---\nid: 01M808TX00693XAWKJNQXB21C8\ntitle: t\ncategory: handoffs\n---\n"
    with TemporaryDirectory() as folder:
        root, entry_id = Path(folder), "01M808TX00693XAWKJNQXB21C8"
        path = journal_path(root, entry_id)
        note(root, entry_id, now=None, after=text, who="a", how="added", keep=lambda _: True)
        whole = path.read_bytes()
        path.write_bytes(whole + whole[: cut % len(whole)] + junk)
        known = Present(text, datetime.now(UTC), datetime.now(UTC))
        note(root, entry_id, now=known, after=text + b"x", who="a", how="edited", keep=lambda _: True)
        journal = read_journal(path)
        assert [one.how for one in journal.records] == ["added", "edited"]
        assert journal.text(journal.records[1].after) == text.decode() + "x"


def test_the_journal_of_an_entry_is_bounded(bank: Bank, draft: Draft, now: datetime) -> None:
    entry = bank.add(draft, source="s", now=now).entry
    path = journal_path(bank.root, entry.id)
    line = path.read_bytes()
    path.write_bytes(line * (MAX_BYTES // len(line) + 2))
    bank.record_outcome(entry.id, "worked", now=now)
    assert MAX_BYTES // 4 < path.stat().st_size < MAX_BYTES
    assert told(bank, entry.id)[-1][1] == "outcome"


def test_git_tells_who_the_unknown_editor_was(bank: Bank, draft: Draft, now: datetime) -> None:
    saved = bank.add(draft, source="s", now=now)
    git(bank.root, "init", "-q")
    git(bank.root, "add", ".")
    git(bank.root, "commit", "-qm", "first")
    assert HISTORY_NAME not in git(bank.root, "ls-files")
    assert told(bank) == [("anna", "added", "new entry in database-optimizations")]
    saved.path.write_text(saved.path.read_text().replace("14 ms", "12 ms"))
    git(bank.root, "commit", "-qam", "measured again", who="Tessa")
    # Git counts whole seconds, so the order within one is not told.
    assert sorted(who for who, _, _ in told(bank)) == ["Tessa", "anna"]


def test_a_clone_has_the_committed_history(bank: Bank, draft: Draft, now: datetime, tmp_path: Path) -> None:
    saved = bank.add(draft, source="s", now=now)
    git(bank.root, "init", "-q")
    git(bank.root, "add", ".")
    git(bank.root, "commit", "-qm", "first")
    bank.retire(saved.entry.id, "gone")
    (bank.root / "handoffs").mkdir()
    git(bank.root, "mv", str(saved.path), str(saved.path.with_name("our-name.md")))
    git(bank.root, "commit", "-qam", "second", who="Quinn")
    git(tmp_path, "clone", "-q", str(bank.root), "clone")
    clone = Bank(tmp_path / "clone")
    assert [(who, how) for who, how, _ in told(clone)] == [("Cleo", "committed"), ("Quinn", "committed")]
    assert told(clone)[1][2] == "second: moved and changed"
    last, first = history.log(clone, saved.entry.id)
    assert "+status: retired" in history.diff(clone, last.id)
    assert history.restore(clone, first.id).status == "active"
    with pytest.raises(InvalidEntry, match="never changes"):
        clone.change(saved.entry.id, lambda text: text.replace(saved.entry.id, "01M808TX00693XAWKJNQXB21C8"))


def test_a_hostile_repository_runs_nothing(bank: Bank, draft: Draft, now: datetime, tmp_path: Path) -> None:
    saved = bank.add(draft, source="s", now=now)
    git(bank.root, "init", "-q")
    git(bank.root, "add", ".")
    git(bank.root, "commit", "-qm", "first")
    ran = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {ran}\n")
    script.chmod(0o755)
    (bank.root / ".gitattributes").write_text("*.md diff=evil filter=evil\n")
    for key in (
        "core.fsmonitor", "core.pager", "diff.external", "diff.evil.textconv", "diff.evil.command",
        "filter.evil.smudge", "filter.evil.clean", "core.sshCommand", "gpg.program", "pager.log",
    ):  # fmt: skip
        git(bank.root, "config", key, str(script))
    git(bank.root, "config", "log.showSignature", "true")
    hook = bank.root / ".git" / "hooks" / "post-index-change"
    hook.write_text(script.read_text())
    hook.chmod(0o755)
    change = history.log(Bank(bank.root))[0]
    assert history.forget(bank, saved.entry.id)
    change = history.log(Bank(bank.root))[0]
    assert change.who == "Cleo" and history.diff(bank, change.id)
    assert not ran.exists()


def test_a_merge_of_two_branches_shows_what_it_resolved(bank: Bank, draft: Draft, now: datetime) -> None:
    saved = bank.add(draft, source="s", now=now)
    history.forget(bank, saved.entry.id)
    git(bank.root, "init", "-q", "-b", "main")
    git(bank.root, "add", ".")
    git(bank.root, "commit", "-qm", "first")
    text = saved.path.read_text()
    git(bank.root, "checkout", "-q", "-b", "other")
    saved.path.write_text(text.replace("14 ms", "13 ms"))
    git(bank.root, "commit", "-qam", "theirs")
    git(bank.root, "checkout", "-q", "main")
    saved.path.write_text(text.replace("14 ms", "15 ms"))
    git(bank.root, "commit", "-qam", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(bank.root, "merge", "-q", "other")
    (problem,) = bank.problems()
    assert "merge conflict at line" in problem.message
    saved.path.write_text(text.replace("14 ms", "12 ms"))
    git(bank.root, "commit", "-qam", "both measured again", who="Quinn")
    newest = history.log(bank)[0]
    assert (newest.who, newest.summary.partition(":")[0]) == ("Quinn", "both measured again")
    assert parse_entry(saved.path.read_text()).id == newest.entry_id
