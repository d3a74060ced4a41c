"""Counting recalls: exact with many processes, silent when the disk says no."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memory import usage

NOW = datetime(2030, 5, 1, 9, 30, tzinfo=UTC)
BANK = Path("/project/.sergei/memory")


def test_recalls_are_counted_for_each_bank_by_itself(tmp_path: Path):
    file = tmp_path / "state" / "recalled.sqlite"
    assert usage.note(file, BANK, ["A", "B", "A"], now=NOW)
    assert usage.note(file, BANK, ["A"], now=NOW + timedelta(days=2))
    assert usage.note(file, Path("/other"), ["A"], now=NOW - timedelta(days=9))
    counted = usage.read(file, BANK)
    assert (counted.times("A"), counted.times("B"), counted.times("C")) == (2, 1, 0)
    assert counted.uses["A"].latest == NOW + timedelta(days=2) and counted.since == NOW


def _write(file: Path, times: int) -> None:
    kept = 0
    while kept < times:
        kept += usage.note(file, BANK, ["A", "B"], now=NOW)


def test_no_count_is_lost_between_processes(tmp_path: Path):
    file = tmp_path / "recalled.sqlite"
    writers = [multiprocessing.get_context("spawn").Process(target=_write, args=(file, 25)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    counted = usage.read(file, BANK)
    assert (counted.times("A"), counted.times("B")) == (75, 75)


@pytest.mark.parametrize("content", [b"", b"not a database, and long enough to be read as a header" * 20])
def test_a_damaged_file_costs_the_count_only(tmp_path: Path, content: bytes):
    file = tmp_path / "recalled.sqlite"
    file.write_bytes(content)
    assert usage.read(file, BANK) == usage.NOTHING
    assert usage.note(file, BANK, ["A"], now=NOW) is (content == b"")


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path):
    (tmp_path / "state").write_text("a file")
    file = tmp_path / "state" / "recalled.sqlite"
    assert usage.note(file, BANK, ["A"], now=NOW) is False
    assert usage.read(file, BANK) == usage.NOTHING


def test_nothing_recalled_is_nothing_written(tmp_path: Path):
    assert usage.note(tmp_path / "recalled.sqlite", BANK, [], now=NOW)
    assert list(tmp_path.iterdir()) == []
