from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from memory import files
from memory.draft import Draft, to_entry
from memory.errors import BankConflict, BankUnavailable, InvalidEntry


def test_a_file_changed_since_it_was_read_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "entry.md"
    path.write_bytes(b"by a person")
    with pytest.raises(BankConflict, match="nothing was overwritten"):
        files.replace(path, expected=b"as we read it", content=b"ours")
    with pytest.raises(BankConflict):
        files.replace(path, expected=None, content=b"ours")
    assert path.read_bytes() == b"by a person"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_removed_since_it_was_read_is_not_created_again(tmp_path: Path) -> None:
    with pytest.raises(BankConflict):
        files.replace(tmp_path / "entry.md", expected=b"as we read it", content=b"ours")
    assert list(tmp_path.iterdir()) == []


def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "entry.md"
    path.write_bytes(b"old")
    path.chmod(0o640)
    files.replace(path, expected=b"old", content=b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)


def test_a_second_holder_waits_and_then_says_so(tmp_path: Path) -> None:
    with (
        files.exclusive(tmp_path),
        pytest.raises(BankConflict, match=r"has held the memory bank .* for 0.02 s"),
        files.exclusive(tmp_path, wait=0.02),
    ):
        pass
    with files.exclusive(tmp_path, wait=0.02):
        pass


def test_what_a_killed_writer_left_is_swept_by_the_next(tmp_path: Path) -> None:
    leftover = tmp_path / ".tmp-1-aa"
    leftover.write_text("half")
    with files.exclusive(tmp_path):
        assert not leftover.exists()


def test_the_cache_and_the_lock_stay_out_of_git(tmp_path: Path) -> None:
    with files.exclusive(tmp_path / "bank"):
        ignored = (tmp_path / "bank" / ".gitignore").read_text().split()
    assert ignored == [".index.sqlite*", ".lock*", ".tmp-*", ".history/"]


def test_an_ignore_file_of_before_gets_what_it_lacks_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("# ours\n.lock*\ndrafts")
    for _ in range(2):
        files.prepare(tmp_path)
    text = (tmp_path / ".gitignore").read_text()
    assert text.startswith("# ours\n.lock*\ndrafts\n")
    assert sorted(text.split()) == sorted(["#", "ours", "drafts", *files.IGNORED])


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(BankUnavailable, match="cannot be written: Not a directory"),
        files.exclusive(tmp_path / "file" / "bank"),
    ):
        pass


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BankUnavailable), files.exclusive(tmp_path / "bank"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_links_giants_and_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link.md").symlink_to(tmp_path / "x.md")
    (tmp_path / "big.md").write_bytes(b"x" * (files.MAX_FILE + 1))
    (tmp_path / "latin.md").write_bytes(b"caf\xe9")
    for name, sentence in {
        "link.md": "symbolic link",
        "big.md": "at most",
        "latin.md": "not UTF-8 \\(byte 3\\)",
    }.items():
        with pytest.raises(InvalidEntry, match=sentence):
            files.read_text(tmp_path / name)


def test_a_file_written_just_now_is_not_settled(tmp_path: Path) -> None:
    path = tmp_path / "handoffs" / "a.md"
    path.parent.mkdir()
    path.write_text("a")
    assert not files.list_files(tmp_path)[0].settled(path.stat().st_mtime_ns)
    os.utime(path, ns=(1, 1))
    assert files.list_files(tmp_path)[0].settled(time.time_ns())


def test_file_names_are_short_plain_and_end_in_the_id(draft: Draft, now: datetime) -> None:
    long = Draft("Überlange: " + "wörter und " * 9, draft.category, draft.action, draft.result)
    entry = to_entry(long, source="s", now=now)
    name = files.file_name(entry)
    assert name.startswith("database-optimizations/uberlange-worter-und-")
    assert name.endswith(f"-worter--{entry.id[-8:].lower()}.md")
    odd = to_entry(Draft("日本", draft.category, draft.action, draft.result), source="s", now=now)
    assert "/entry--" in files.file_name(odd)


def test_a_pipe_among_the_entries_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    assert files.read_text(tmp_path / "pipe.md") == (b"", "")
