"""The record of every act: what was done to it is noticed, and what cannot be recorded does not happen."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.approvals import Answer, Approvals, Decision, Mode, Request
from agent.audit import AuditLog, Keeping
from agent.executor import Executor
from tests.agent.toys import CALLS, TOYS
from tools.errors import Conflict, Unavailable
from tools.redaction import Redactor
from tools.registry import Effect, Facts, Params, Result, Tool, tool
from tools.resources import Resources

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; from tests.agent.gate_process import main; main(*sys.argv[1:])"
SMALL = Keeping(rotate_bytes=3_000, anchor_every=4)


def process(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def written(path: Path, count: int, keeping: Keeping | None = None) -> AuditLog:
    log = AuditLog(path, "tester", keeping or Keeping())
    for number in range(count):
        log.write("outcome", {"tool": "say", "number": number}, durable=False)
    return log


def closed(log: AuditLog) -> list[Path]:
    return sorted(log.path.parent.glob("audit-*.jsonl"))


async def yes(request: Request) -> Decision:
    return Decision(Answer.ONCE, by="person")


def gate(audit: AuditLog, tools: dict[str, Tool] = TOYS) -> Executor:
    CALLS.clear()
    return Executor(tools, Resources(), approvals=Approvals(Mode.ACT, yes), redactor=Redactor(), audit=audit)


def test_processes_share_one_chain(tmp_path: Path):
    """Four at once, over rotations and anchors."""
    path = tmp_path / "audit.jsonl"
    writers = [process("append", path, 200, 60_000, 50) for _ in range(4)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    log = AuditLog(path, "reader")
    records = list(log.records())
    assert sum(record["event"] == "outcome" for record in records) == 800
    assert [record["n"] for record in records] == list(range(1, len(records) + 1))
    assert len(closed(log)) >= 2 and log.verify().whole


def test_a_process_that_is_killed_in_the_middle_of_a_change_leaves_its_intent(tmp_path: Path):
    path, mark = tmp_path / "audit.jsonl", tmp_path / "mark"
    worker = process("write_and_hang", path, mark)
    until = time.monotonic() + 30
    while not mark.exists() and time.monotonic() < until:
        time.sleep(0.02)
    worker.kill()
    worker.wait(30)
    assert mark.exists(), "the change had begun"
    log = AuditLog(path, "reader")
    verdict = log.verify()
    (record,) = log.records()
    assert verdict.whole and (record["event"], record["decision"]) == ("intent", "once")
    assert verdict.unfinished == (f"{record['at']} write_and_hang (call {record['call']})",)
    log.write("outcome", {"call": "another"})
    assert log.verify().unfinished, "what comes later does not settle it"


def test_a_disk_that_is_full_stops_a_change_before_it_runs(tmp_path: Path):
    path, mark = tmp_path / "audit.jsonl", tmp_path / "mark"
    log = written(path, 20)
    before = path.read_bytes()
    worker = process("write_file", path, mark, len(before) + 40)
    said, _ = worker.communicate(timeout=30)
    assert "cannot be written" in said and not mark.exists()
    assert path.read_bytes() == before, "no torn line is left behind"
    assert log.verify().whole


async def test_a_full_device_withholds_what_was_read(tmp_path: Path):
    path = tmp_path / "audit.jsonl"
    path.symlink_to("/dev/full")
    outcome = await gate(AuditLog(path, "tester")).call("say", {"word": "secret"})
    assert not outcome.ok and "withheld" in outcome.fenced() and "secret" not in outcome.fenced()


@dataclass(frozen=True)
class Failing(AuditLog):
    """A log whose disk fills after so many records."""

    room: list[None] = field(default_factory=list[None])

    def write(self, event: str, fields: Any, *, durable: bool = True) -> None:
        if not self.room:
            raise Unavailable("The disk is full.")
        self.room.pop()
        super().write(event, fields, durable=durable)


async def test_a_change_whose_outcome_cannot_be_recorded_says_that_it_was_done(tmp_path: Path):
    log = Failing(tmp_path / "audit.jsonl", "tester", room=[None])
    outcome = await gate(log).call("write", {"word": "a"})
    assert CALLS == ["wrote a"]
    assert not outcome.ok and "although it was done" in outcome.fenced()
    assert outcome.failure and not outcome.failure.retry, "a model must not do it twice"
    assert log.verify().unfinished


@dataclass(frozen=True)
class Noting(AuditLog):
    """Remembers what had to be on disk."""

    notes: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])

    def write(self, event: str, fields: Any, *, durable: bool = True) -> None:
        self.notes.append((event, durable))


async def test_changes_are_flushed_to_disk_and_reads_are_not(tmp_path: Path):
    log = Noting(tmp_path / "audit.jsonl", "tester")
    executor = gate(log)
    await executor.call("say", {})
    await executor.call("write", {})
    assert log.notes == [("outcome", False), ("intent", True), ("outcome", True)]


Harm = Callable[[AuditLog], None]


def _cut_off(log: AuditLog) -> None:
    log.path.write_bytes(b"".join(log.path.read_bytes().splitlines(keepends=True)[:-1]))


def _rewrite(log: AuditLog) -> None:
    """Somebody who knows how: a new chain of the same length."""
    count = len(list(log.records()))
    log.path.unlink()
    forged = AuditLog(log.path.parent / "forged" / "audit.jsonl", "tester", log.keeping)
    for _ in range(count):
        forged.write("outcome", {"tool": "nothing to see"})
    forged.path.rename(log.path)


def _empty(log: AuditLog) -> None:
    log.path.write_bytes(b"")


def _delete(log: AuditLog) -> None:
    log.path.unlink()


def _delete_marks(log: AuditLog) -> None:
    log.path.with_suffix(".anchors").unlink()


@pytest.mark.parametrize("harm", [_cut_off, _rewrite, _empty, _delete, _delete_marks])
def test_what_is_cut_off_or_written_anew_is_noticed(tmp_path: Path, harm: Harm):
    log = written(tmp_path / "audit.jsonl", 5)
    assert log.verify().whole
    harm(log)
    assert log.verify().problem


@pytest.mark.parametrize("harm", [_cut_off, _empty, _delete, _delete_marks])
def test_writing_on_does_not_heal_a_loss(tmp_path: Path, harm: Harm):
    log = written(tmp_path / "audit.jsonl", 5)
    harm(log)
    written(log.path, 3)
    verdict = log.verify()
    assert not verdict.whole and (verdict.gaps or verdict.problem)


def test_a_line_torn_by_a_crash_is_said_and_the_log_goes_on(tmp_path: Path):
    log = written(tmp_path / "audit.jsonl", 3)
    with log.path.open("ab") as file:
        file.write(b'{"at":"2026-')
    assert log.verify().problem, "until somebody writes, nobody knows"
    written(log.path, 2)
    verdict = log.verify()
    assert verdict.whole and len(verdict.notes) == 1
    lines = log.path.read_bytes().splitlines(keepends=True)
    lines[3] = b'{"at":"2025-\n'
    log.path.write_bytes(b"".join(lines))
    assert log.verify().problem, "another torn line than the one that was there"


def test_the_chain_goes_on_over_files(tmp_path: Path):
    log = written(tmp_path / "audit.jsonl", 40, SMALL)
    files = closed(log)
    assert len(files) >= 2 and log.verify().whole
    assert all(file.stat().st_mode & 0o777 == 0o400 for file in files)
    assert log.path.stat().st_mode & 0o777 == 0o600
    marks = log.path.with_suffix(".anchors")
    assert marks.stat().st_mode & 0o777 == 0o600 and len(marks.read_text().splitlines()) > len(files)
    assert sum(record["event"] == "outcome" for record in log.records()) == 40
    files[1].unlink()
    assert log.verify().problem


def test_a_closed_file_that_is_missing_is_noticed(tmp_path: Path):
    log = written(tmp_path / "audit.jsonl", 40, SMALL)
    closed(log)[0].unlink()
    assert "oldest records are missing" in log.verify().problem


def test_only_what_is_older_than_the_retention_is_pruned_and_that_is_on_record(tmp_path: Path):
    log = written(tmp_path / "audit.jsonl", 40, SMALL)
    now = datetime.now(UTC)
    assert log.prune(now) == () and log.prune(now + timedelta(days=365 * 6)) == ()
    names = tuple(file.name for file in closed(log))
    assert log.prune(now + timedelta(days=365 * 6 + 3)) == names
    assert not {file.name for file in closed(log)} & set(names)
    assert log.path.exists(), "the open file stays"
    assert [record["file"] for record in log.records() if record["event"] == "pruned"] == list(names)
    assert log.verify().whole


def test_a_harmed_log_is_not_pruned(tmp_path: Path):
    log = written(tmp_path / "audit.jsonl", 40, SMALL)
    _cut_off(log)
    with pytest.raises(Conflict):
        log.prune(datetime.now(UTC) + timedelta(days=365 * 7))
    assert closed(log)


def test_who_acts_is_the_systems_user_and_not_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    honest = AuditLog.open(tmp_path / "audit.jsonl", face="cli").who
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert AuditLog.open(tmp_path / "audit.jsonl", face="cli").who == honest


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300), st.integers(min_value=1, max_value=400))
@example("\x1f" * 300, 400)
@example("\U0001f600" * 300, 60)
def test_no_text_breaks_the_chain(tmp_path_factory: pytest.TempPathFactory, text: str, times: int):
    log = AuditLog(tmp_path_factory.mktemp("log") / "audit.jsonl", text)
    for _ in range(2):
        log.write("outcome", {"tool": text * times, "phi_columns": [text] * times}, durable=False)
    assert log.verify().whole and len(list(log.records())) == 2
    assert max(map(len, log.path.read_bytes().splitlines())) < 65_536


def test_a_long_record_before_a_long_torn_one_is_found(tmp_path: Path):
    log = AuditLog(tmp_path / "audit.jsonl", "somebody")
    log.write("outcome", {"phi_columns": ["c" * 390] * 60}, durable=False)
    long = log.path.read_bytes() * 2
    log.path.write_bytes(log.path.read_bytes() + long.replace(b"\n", b"")[:50_000])
    log.write("outcome", {"tool": "t"}, durable=False)
    assert log.verify().whole
    assert [record["event"] for record in log.records()] == ["outcome", "torn", "outcome"]


class Nothing(Params):
    pass


class Found(Result):
    names: tuple[str, ...] = ()

    def audit_facts(self) -> Facts:
        """Two columns."""
        return Facts(rows=7, phi_columns=("public.people.name", "public.people.born"))


@tool(Effect.READ)
async def find_people(params: Nothing, resources: Resources) -> Found:
    """Find people."""
    return Found(names=("Jane Roe",))


async def test_rows_and_columns_are_on_record_and_values_are_not(tmp_path: Path):
    executor = gate(AuditLog(tmp_path / "audit.jsonl", "tester"), {"find_people": find_people})
    assert (await executor.call("find_people", {})).ok
    (record,) = executor.audit.records()
    assert (record["rows"], record["phi_columns"]) == (7, ["public.people.born", "public.people.name"])
    assert "Jane" not in executor.audit.path.read_text()


async def test_a_name_that_is_no_tool_is_not_repeated(tmp_path: Path):
    executor = gate(AuditLog(tmp_path / "audit.jsonl", "tester"))
    await executor.call("Jane Roe, born 1970-01-01", {})
    assert "Jane" not in json.dumps(list(executor.audit.records()))
