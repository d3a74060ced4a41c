"""Processes write to one memory bank and are killed at random: is an acknowledged write ever lost or torn?

    python -m benchmarks.memory_writes [WRITES] [PROCESSES]      10,000 writes by 8 processes

A writer adds entries, records outcomes, supersedes and edits, on entries that all share, and says so after
each call that returned. Every so often one of them is killed (SIGKILL) and another started. In the end each
acknowledged write must be in the files, every file must be an entry, and the history must tell of each write.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from memory import Bank, Draft, Entry, history

_NOW = datetime(2026, 11, 22, tzinfo=UTC)
_SHARED = 150
_KILL_EVERY = 0.7
_HERE = Path(__file__).parents[1]


@dataclass(slots=True)
class Run:
    """What was acknowledged (kind, id, mark), how often a writer was killed, how long it took."""

    acknowledged: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    killed: int = 0
    seconds: float = 0.0


def draft_of(mark: str) -> Draft:
    """An entry that no other repeats."""
    return Draft(f"Lesson {mark}", "handoffs", f"Handed over shift {mark}.", "All was taken over.")


def work(root: Path, name: str, seed: int, shared: list[str]) -> None:
    """A writer: goes on until it is killed or its parent closes the pipe."""
    bank, chance, own = Bank(root, who=name), random.Random(seed), list[str]()
    for number in range(1_000_000):
        mark, kind = (
            f"{name}-{number}",
            chance.choices(("add", "outcome", "supersede", "edit"), (25, 45, 10, 20))[0],
        )
        target = chance.choice([*shared, *own[-20:]])
        if kind == "supersede" and not own:
            kind = "add"
        if kind == "add":
            target = bank.add(draft_of(mark), source=name, now=_NOW).entry.id
            own.append(target)
        elif kind == "outcome":
            bank.record_outcome(target, "worked", now=_NOW, ref=mark)
        elif kind == "supersede":
            old = own.pop(chance.randrange(len(own)))
            target = f"{bank.supersede(old, draft_of(mark), source=name, now=_NOW).entry.id}>{old}"
        else:
            bank.change(target, lambda text, mark=mark: f"{text}\nNote {mark}.\n")
        print(kind, target, mark, flush=True)


def run(root: Path, writes: int, processes: int, *, seed: int = 1, kill_every: float = _KILL_EVERY) -> Run:
    """Have `processes` writers acknowledge `writes` writes, killing one every `kill_every` seconds or so."""
    bank, chance, done = Bank(root), random.Random(seed), Run()
    shared = [bank.add(draft_of(f"shared {n}"), source="x", now=_NOW).entry.id for n in range(_SHARED)]
    started, number, guard = time.monotonic(), 0, threading.Lock()
    writers: list[tuple[subprocess.Popen[str], threading.Thread]] = []

    def start() -> None:
        nonlocal number
        number += 1
        command = [
            sys.executable,
            "-m",
            "benchmarks.memory_writes",
            "--work",
            str(root),
            f"w{number}",
            str(number),
        ]
        process = subprocess.Popen([*command, *shared], stdout=subprocess.PIPE, text=True, cwd=_HERE)
        thread = threading.Thread(target=listen, args=(process,))
        thread.start()
        writers.append((process, thread))

    def listen(process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            words = line.split()
            if line.endswith("\n") and len(words) == 3:  # a line that was cut was not acknowledged
                with guard:
                    done.acknowledged.append((words[0], words[1], words[2]))

    for _ in range(processes):
        start()
    while len(done.acknowledged) < writes:
        time.sleep(chance.uniform(0.3, 1.7) * kill_every)
        process, thread = writers.pop(chance.randrange(len(writers)))
        process.kill()
        if process.wait() != -9:
            raise SystemExit(f"A writer ended by itself with {process.returncode}.")
        thread.join()
        done.killed += 1
        start()
    for process, thread in writers:
        process.kill()
        process.wait()
        thread.join()
    done.seconds = time.monotonic() - started
    return done


def lost(root: Path, done: Run) -> list[str]:
    """What was acknowledged and is not there, and what is torn or untold."""
    bank = Bank(root)
    bank.add(draft_of("afterwards"), source="x", now=_NOW)
    found = [f"torn: {problem.path}: {problem.message}" for problem in bank.problems()]
    found += [f"left over: {path}" for path in root.rglob(".tmp-*")]
    entries = {entry.id: entry for entry in bank.entries()}
    found += [f"lost: {' '.join(write)}" for write in done.acknowledged if not _kept(bank, entries, write)]
    told = Counter(change.who for change in history.log(bank, limit=10_000_000))
    meant = Counter(mark.rpartition("-")[0] for _, _, mark in done.acknowledged)
    return found + [
        f"untold: {who} {told[who]} of {count}" for who, count in meant.items() if told[who] < count
    ]


def _kept(bank: Bank, entries: dict[str, Entry], write: tuple[str, str, str]) -> bool:
    kind, target, mark = write
    target, _, old = target.partition(">")
    entry = entries.get(target)
    if entry is None:
        return False
    if kind == "outcome":
        return any(one.ref == mark for one in entry.outcomes)
    if kind == "edit":
        return f"\nNote {mark}.\n" in bank.source(target)[1]
    if kind == "supersede":
        return entry.supersedes == (old,) and entries[old].status == "superseded"
    return entry.title == f"Lesson {mark}"


def main(writes: int, processes: int) -> int:
    """Run it, and say what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "bank"
        done = run(root, writes, processes)
        missing = lost(root, done)
        kinds = ", ".join(
            f"{count} {kind}" for kind, count in Counter(w[0] for w in done.acknowledged).items()
        )
        print(
            f"{len(done.acknowledged)} acknowledged writes ({kinds}) by {processes} processes, {done.killed}"
        )
        print(f"killed and replaced, in {done.seconds:.0f} s; lost, torn or untold: {len(missing)}")
        print("\n".join(missing[:20]))
        return 1 if missing else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5:])
    else:
        numbers = [int(word) for word in sys.argv[1:]]
        sys.exit(main(*(numbers + [10_000, 8][len(numbers) :])))
