from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from benchmarks import memory_writes
from memory import Bank, BankConflict, Draft

WRITER = Path(__file__).with_name("writer_process.py")


def start(bank: Bank, entry_id: str, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), str(bank.root), entry_id, name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def acknowledged(output: str) -> set[str]:
    return {line.removeprefix("ack ") for line in output.splitlines() if line.startswith("ack ")}


def kept(bank: Bank, entry_id: str) -> set[str]:
    refs = {outcome.ref for outcome in bank.get(entry_id).outcomes}
    return refs | {entry.title for entry in bank.entries()}


def test_four_processes_lose_no_write(bank: Bank, draft: Draft, now: datetime) -> None:
    entry = bank.add(draft, source="session 1", now=now).entry
    writers = [start(bank, entry.id, f"writer{number}", 25) for number in range(4)]
    outputs = [writer.communicate(timeout=60)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0, 0]
    promised = set[str]().union(*map(acknowledged, outputs))
    assert len(promised) == 4 * (25 + 5)
    assert promised <= kept(bank, entry.id)
    assert len(bank.get(entry.id).outcomes) == 1 + 100
    assert bank.problems() == ()


def test_a_killed_writer_tears_nothing_and_blocks_nobody(bank: Bank, draft: Draft, now: datetime) -> None:
    entry = bank.add(draft, source="session 1", now=now).entry
    victim, survivor = start(bank, entry.id, "victim", 10_000), start(bank, entry.id, "survivor", 10)
    assert victim.stdout is not None
    before = "".join(victim.stdout.readline() for _ in range(12))
    victim.kill()
    after, _ = victim.communicate(timeout=60)
    output, _ = survivor.communicate(timeout=60)
    assert (victim.returncode, survivor.returncode) == (-9, 0)
    # The pipe's last line may be cut where the process died; such a write was never acknowledged whole.
    lines = [line for line in (before + after).splitlines(keepends=True) if line.endswith("\n")]
    promised = acknowledged("".join(lines)) | acknowledged(output)
    assert len(promised) >= 24
    bank.record_outcome(entry.id, "worked", now=now, ref="afterwards")
    assert promised | {"afterwards"} <= kept(bank, entry.id)
    assert bank.problems() == ()
    assert list(bank.root.rglob(".tmp-*")) == []


def test_writers_that_are_killed_at_random_lose_and_tear_nothing(tmp_path: Path) -> None:
    root = tmp_path / "bank"
    done = memory_writes.run(root, 150, 3, kill_every=0.4)
    assert done.killed >= 2
    assert {kind for kind, _, _ in done.acknowledged} == {"add", "outcome", "supersede", "edit"}
    assert memory_writes.lost(root, done) == []
    # The proof notices a loss.
    bank = Bank(root)
    target = next(target for kind, target, _ in done.acknowledged if kind == "outcome")
    bank.source(target)[0].unlink()
    assert any(word.startswith("lost: outcome") for word in memory_writes.lost(root, done))


def test_what_a_person_saves_while_we_write_is_never_overwritten(
    bank: Bank, draft: Draft, now: datetime
) -> None:
    saved = bank.add(draft, source="session 1", now=now)
    marks: list[str] = []
    enough = threading.Event()

    def save_again_and_again() -> None:
        # As an editor does it: read, change, write beside, rename over. It asks for no lock.
        while not enough.wait(0.004):
            mark = f"Person {len(marks)}."
            beside = saved.path.with_name("editor")
            beside.write_text(f"{saved.path.read_text()}\n{mark}\n")
            beside.replace(saved.path)
            marks.append(mark)

    person = threading.Thread(target=save_again_and_again)
    person.start()
    written = 0
    while written < 25 or len(marks) < 50:
        with suppress(BankConflict):  # it says so; it is theirs that must stay
            bank.record_outcome(saved.entry.id, "worked", now=now)
            written += 1
    enough.set()
    person.join()
    text = saved.path.read_text()
    assert [mark for mark in marks if f"\n{mark}\n" not in text] == []
    assert bank.problems() == ()
