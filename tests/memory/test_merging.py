from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory import Bank, BankConflict, Draft, InvalidEntry
from memory.exchange import swap
from memory.files import BESIDE
from memory.merging import Unmergeable, merged

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "d"]), max_size=8).map("".join)


@given(LINES, LINES)
def test_one_sided_changes_win(base: str, changed: str) -> None:
    assert (
        merged(base, changed, base)
        == merged(base, base, changed)
        == merged(base, changed, changed)
        == changed
    )


@given(LINES, LINES, LINES)
def test_no_line_of_either_side_is_lost(base: str, one: str, other: str) -> None:
    try:
        text = merged(base, one, other)
    except Unmergeable:
        return
    old, new = base.splitlines(), text.splitlines()
    for side in (one.splitlines(), other.splitlines()):
        assert all(line in new for line in side if line not in old)


def test_changes_of_different_lines_come_together() -> None:
    base = "".join(f"{number}\n" for number in range(9))
    ours, theirs = base.replace("1\n", "one\n"), base.replace("7\n", "seven\nand more\n")
    assert merged(base, ours, theirs) == ours.replace("7\n", "seven\nand more\n")
    with pytest.raises(Unmergeable):
        merged(base, ours, base.replace("1\n", "uno\n"))


def test_an_edit_is_merged_with_what_came_meanwhile(bank: Bank, draft: Draft, now: datetime) -> None:
    saved = bank.add(draft, source="s", now=now)
    read = saved.path.read_text()
    bank.record_outcome(saved.entry.id, "failed", now=now, ref="dep-2")
    text = read.replace("confidence: medium", "confidence: low   # says Tessa")
    entry = bank.save_edit(saved.entry.id, read=read, text=text)
    assert (entry.confidence, entry.count("failed")) == ("low", 1)
    assert "# says Tessa" in saved.path.read_text()


def test_an_edit_of_the_same_lines_is_kept_beside(bank: Bank, draft: Draft, now: datetime) -> None:
    saved = bank.add(draft, source="s", now=now)
    read = saved.path.read_text()
    theirs = read.replace("14 ms.\n", "12 ms.\n")
    saved.path.write_text(theirs)
    mine = read.replace("14 ms.\n", "11 ms.\n")
    with pytest.raises(BankConflict, match="your text is kept in"):
        bank.save_edit(saved.entry.id, read=read, text=mine)
    assert saved.path.read_text() == theirs
    (beside,) = saved.path.parent.glob(f"*{BESIDE}*")
    assert beside.read_text() == mine
    assert [problem.path for problem in bank.problems()] == [beside]
    assert len(bank.entries()) == 1


def test_an_edit_that_is_no_entry_is_refused_before_anything_is_written(
    bank: Bank, draft: Draft, now: datetime
) -> None:
    saved = bank.add(draft, source="s", now=now)
    read = saved.path.read_text()
    with pytest.raises(InvalidEntry, match="no 'title'"):
        bank.save_edit(saved.entry.id, read=read, text=read.replace("title:", "headline:"))
    assert saved.path.read_text() == read


def test_an_entry_with_a_new_category_moves_to_its_folder(bank: Bank, draft: Draft, now: datetime) -> None:
    saved = bank.add(draft, source="s", now=now)
    read = saved.path.read_text()
    text = read.replace("category: database-optimizations", "category: performance-tuning")
    bank.save_edit(saved.entry.id, read=read, text=text)
    assert bank.problems() == ()
    assert not saved.path.exists()
    assert bank.source(saved.entry.id)[0] == bank.root / "performance-tuning" / saved.path.name
    assert bank.record_outcome(saved.entry.id, "worked", now=now).category == "performance-tuning"


def test_two_files_exchange_their_names(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    other.write_text("2")
    if swap(one, other):
        assert (one.read_text(), other.read_text()) == ("2", "1")
        other.unlink()
        with pytest.raises(FileNotFoundError):
            swap(one, other)
