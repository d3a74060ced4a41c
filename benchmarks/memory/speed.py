"""Latency of recall, cold rebuild and one write, over generated banks on this machine."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.memory.generated import SEED, Generator, write_bank
from memory import Bank, Banks, Draft, Entry
from memory.files import INDEX_NAME

NOW = datetime(2026, 11, 26, tzinfo=UTC)
_WARM = 20


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds, for a bank of `entries`. `paused`: a search after more than a second without one."""

    entries: int
    rebuild: float
    fresh_process: float
    p50: float
    p95: float
    paused_p95: float
    after_write_p95: float
    write_p95: float


def measure(entries: int, *, questions: int = 300, few: int = 8) -> Speed:
    """Build a bank of `entries` and time what people wait for."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "bank"
        written = write_bank(root, entries)
        time.sleep(0.2)  # until time stamps can be relied on
        generator = Generator(SEED + 1)
        asked = [generator.question(entry) for entry in written[:: max(1, entries // questions)]][:questions]
        rebuild = _seconds(lambda: Banks(Bank(root)).recall("timeout", now=NOW))
        if not (root / INDEX_NAME).exists():
            raise RuntimeError("the index was not kept on disk, so this would measure something else")
        time.sleep(1.1)
        fresh = _seconds(lambda: Banks(Bank(root)).recall(asked[0], now=NOW))
        banks = Banks(Bank(root))
        time.sleep(1.1)
        for question in asked[:_WARM]:
            banks.recall(question, now=NOW)
        times = [_seconds(lambda q=question: banks.recall(q, now=NOW)) for question in asked]
        paused = [_after_pause(banks, question) for question in asked[:few]]
        write = [_seconds(lambda d=draft: banks.add(d, source="s", now=NOW)) for draft in _drafts(few)]
        after: list[float] = []
        for draft in _drafts(2 * few)[few:]:
            saved = banks.add(draft, source="s", now=NOW)
            started = time.perf_counter()
            found = banks.recall(draft.title, now=NOW)
            after.append(time.perf_counter() - started)
            if saved.entry.id not in {one.entry.id for one in found}:
                raise RuntimeError("an entry just written was not found")
        return Speed(
            entries,
            rebuild,
            fresh,
            statistics.median(times),
            _p95(times),
            _p95(paused),
            _p95(after),
            _p95(write),
        )


def found_share(written: Iterable[Entry], ask: Callable[[Entry], list[str]]) -> float:
    """Share of `written` that `ask` finds among the ids it returns."""
    results = [entry.id in ask(entry) for entry in written]
    return sum(results) / len(results)


def _drafts(count: int) -> list[Draft]:
    made = Generator(SEED + 2).entries(count)
    return [Draft(one.title, one.category, one.action, one.result, context=one.context) for one in made]


def _after_pause(banks: Banks, question: str) -> float:
    time.sleep(1.1)
    return _seconds(lambda: banks.recall(question, now=NOW))


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _p95(times: list[float]) -> float:
    return sorted(times)[max(0, round(0.95 * len(times)) - 1)]
