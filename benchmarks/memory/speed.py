"""Latency of recall, cold rebuild and one write, over generated banks on this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.memory.contenders import NOW, new_folder
from benchmarks.memory.generated import SEED, Generator, write_bank
from memory import Bank, Banks, Draft, Entry
from memory.files import INDEX_NAME, file_name

_WARM = 20


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that passed, and seconds of processor time: the same on a machine that is otherwise idle."""

    passed: tuple[float, ...]
    worked: tuple[float, ...]

    def line(self, what: str) -> str:
        """p50 and p95 in milliseconds."""
        cells = (_share(times, at) * 1e3 for times in (self.passed, self.worked) for at in (0.5, 0.95))
        p50, p95, worked50, worked95 = cells
        return f"  {what:<34}{p50:9.1f} {p95:9.1f} ms   {worked50:9.1f} {worked95:9.1f} ms"


def show(sizes: Sequence[int]) -> None:
    """Print the table for banks of these sizes."""
    for entries in sizes:
        print(f"\nspeed: {entries:,} generated entries        p50       p95      processor: p50     p95")
        for what, times in measure(entries).items():
            print(times.line(what))


def measure(entries: int, *, questions: int = 300, few: int = 10) -> dict[str, Times]:
    """Build a bank of `entries` and time what people wait for."""
    with new_folder() as folder:
        root = Path(folder) / "bank"
        written = write_bank(root, entries)
        time.sleep(0.2)  # until time stamps can be relied on
        generator = Generator(SEED + 1)
        asked = [generator.question(entry) for entry in written[:: max(1, entries // questions)]][:questions]
        found = {"cold rebuild and a search": _timed([lambda: Banks(Bank(root)).recall("timeout", now=NOW)])}
        if not (root / INDEX_NAME).exists():
            raise RuntimeError("the index was not kept on disk, so this would measure something else")
        found["first search of a process"] = _timed([_fresh(root, one) for one in asked[:3]], pause=1.1)
        banks = Banks(Bank(root))
        time.sleep(1.1)
        _timed([_search(banks, one) for one in asked[:_WARM]])
        found["search"] = _timed([_search(banks, one) for one in asked[_WARM:]])
        found["search after a pause"] = _timed([_search(banks, one) for one in asked[:few]], pause=1.1)
        found["search after an edit in place"] = _edited(banks, root, written[:few])
        found["write"] = _timed([_write(banks, draft) for draft in _drafts(few)])
        found["search after a write"] = _found_at_once(banks, _drafts(2 * few)[few:])
        return found


def _timed(calls: Sequence[Callable[[], object]], *, pause: float = 0.0) -> Times:
    passed: list[float] = []
    worked: list[float] = []
    for call in calls:
        time.sleep(pause)
        started, processor = time.perf_counter(), time.process_time()
        call()
        passed.append(time.perf_counter() - started)
        worked.append(time.process_time() - processor)
    return Times(tuple(passed), tuple(worked))


def _search(banks: Banks, question: str) -> Callable[[], object]:
    return lambda: banks.recall(question, now=NOW)


def _fresh(root: Path, question: str) -> Callable[[], object]:
    return lambda: Banks(Bank(root)).recall(question, now=NOW)


def _write(banks: Banks, draft: Draft) -> Callable[[], object]:
    return lambda: banks.add(draft, source="measured", now=NOW)


def _edited(banks: Banks, root: Path, entries: Sequence[Entry]) -> Times:
    """Each entry gets a word of its own in its file, as an editor saves it, and must be found by it."""
    passed: list[Times] = []
    for number, entry in enumerate(entries):
        word = f"okapi{number}"
        path = root / file_name(entry)
        path.write_text(
            path.read_text(encoding="utf-8").replace("## Why", f"## Why\n\n{word}"), encoding="utf-8"
        )
        passed.append(_timed([_search(banks, word)]))
        if entry.id not in {one.entry.id for one in banks.recall(word, now=NOW)}:
            raise RuntimeError("an edit in place was not noticed")
    return _joined(passed)


def _found_at_once(banks: Banks, drafts: Sequence[Draft]) -> Times:
    passed: list[Times] = []
    for draft in drafts:
        saved = banks.add(draft, source="measured", now=NOW)
        passed.append(_timed([_search(banks, draft.title)]))
        if saved.entry.id not in {one.entry.id for one in banks.recall(draft.title, now=NOW)}:
            raise RuntimeError("an entry just written was not found")
    return _joined(passed)


def _joined(parts: Sequence[Times]) -> Times:
    passed = tuple(one for part in parts for one in part.passed)
    return Times(passed, tuple(one for part in parts for one in part.worked))


def _drafts(count: int) -> list[Draft]:
    made = Generator(SEED + 2).entries(count)
    return [Draft(one.title, one.category, one.action, one.result, context=one.context) for one in made]


def _share(times: Sequence[float], at: float) -> float:
    """The time within which the share `at` of all is done."""
    return sorted(times)[max(0, math.ceil(at * len(times)) - 1)]
