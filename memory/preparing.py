"""What a file gives to the index: read, parsed, made into rows. Other processes may share the work."""

from __future__ import annotations

import gc
import hashlib
import itertools
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from memory import files
from memory.entry import parse_entry
from memory.errors import InvalidEntry
from memory.fingerprint import error_runs
from memory.similar import repeat_keys
from memory.skim import Skimmed, skim, skimmed
from memory.tokens import identifiers, prominent_text


@dataclass(frozen=True, slots=True)
class Change:
    """A file that differs from its row: as found (None: gone), and the row (None: new) with its digest."""

    root: str
    path: str
    found: files.Found | None
    row: int | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """Changes that are taken in at once; their new rows are numbered from after `last`."""

    changes: Sequence[Change]
    last: int


@dataclass(slots=True)
class Batch:
    """Rows to be written: those that go, new signatures of those that stay, and in JSON what comes."""

    gone: list[int] = field(default_factory=list[int])
    settled: list[tuple[str, int | None]] = field(default_factory=list[tuple[str, int | None]])
    files: str = "[]"
    texts: str = "[]"
    links: str = "[]"


def prepared(part: Part) -> Batch:
    """What the changes of a part make of the rows."""
    batch = Batch()
    new_files: list[tuple[object, ...]] = []
    new_texts: list[tuple[object, ...]] = []
    new_links: list[tuple[object, ...]] = []
    for row, change in enumerate(part.changes, part.last + 1):
        if change.found is None:
            batch.gone += [] if change.row is None else [change.row]
            continue
        looked = time.time_ns()
        content, entry = read(f"{change.root}/{change.path}")
        digest = digest_of(content)
        # Without a signature the file is read again next time, until its time stamp can be relied on.
        signature = change.found.signature if change.found.settled(looked) else ""
        if change.digest == digest:
            batch.settled.append((signature, change.row))
            continue
        batch.gone += [] if change.row is None else [change.row]
        known = (entry.id, *_keys(entry)) if entry else (None, None, None)
        new_files.append((row, change.root, change.path, signature, digest, *known))
        if entry:
            new_texts.append((row, *columns(entry)))
            retired = entry.status == "retired"
            new_links += [(row, old_id, entry.id, retired) for old_id in entry.supersedes]
    batch.files, batch.texts, batch.links = map(json.dumps, (new_files, new_texts, new_links))
    return batch


def digest_of(content: bytes) -> str:
    """A file's content in short."""
    return hashlib.sha256(content).hexdigest()


def _keys(entry: Skimmed) -> tuple[int, int]:
    return repeat_keys(entry.title, entry.action, entry.category, entry.applies_to)


def read(path: str) -> tuple[bytes, Skimmed | None]:
    """A file's bytes and its entry; a file that is no entry is known by its bytes alone and never found."""
    try:
        content, text = files.read_text(path)
    except (InvalidEntry, FileNotFoundError):
        return b"", None
    try:
        return content, skim(text) or skimmed(parse_entry(text))
    except InvalidEntry:
        return content, None


def columns(entry: Skimmed) -> tuple[str, str, str, str, str, str]:
    """title, tags, scope, names, failure and body as the index takes them in."""
    scope = " ".join(itertools.chain.from_iterable(entry.applies_to.values()))
    tags = " ".join(entry.tags)
    told = "\n".join((entry.title, entry.body, *entry.notes))
    names = " ".join(identifiers(f"{tags}\n{scope}\n{told}"))
    return (
        prominent_text(entry.title),
        prominent_text(tags),
        prominent_text(scope),
        names,
        " ".join(error_runs(told, most=60)),
        f"{told} {names.replace('_', ' ')}",  # the tokenizer takes no identifier apart
    )


# Isolated: nothing in the folder where a person happens to stand is imported.
_PIPE = 1 << 20  # a whole batch fits, so that no process waits for another
_MOST = 4  # beyond it, writing takes longer than preparing
_SERVE = "import sys; sys.path.insert(0, sys.argv[1]); from memory.preparing import serve; serve()"


class Colleagues:
    """Processes that prepare `parts` in turn, one for each core, while the caller writes what they give.

    What one does not deliver is prepared here. Without parts there are none.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        number = min(_MOST, os.cpu_count() or 1) if parts else 0
        self._processes = [_started(parts[first::number]) for first in range(number)]

    def prepared(self, number: int, part: Part) -> Batch:
        """The rows of the part with this number; asked for in order."""
        process = self._processes[number % len(self._processes)] if self._processes else None
        if process and process.stdout:
            with suppress(OSError, EOFError, pickle.UnpicklingError):
                return pickle.load(process.stdout)  # noqa: S301  from our own process
        return prepared(part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            if process:
                process.kill()
                process.wait()
                if process.stdout:
                    process.stdout.close()


def _started(parts: Sequence[Part]) -> subprocess.Popen[bytes] | None:
    home = str(Path(__file__).resolve().parent.parent)
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _SERVE, home],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pipesize=_PIPE,
        )
    except OSError:
        return None
    with suppress(OSError):  # it ended at once: then it delivers nothing
        if process.stdin:
            with process.stdin as given:
                pickle.dump(parts, given)
    return process


def serve() -> None:
    """What such a process does: parts in, batches out."""
    gc.disable()  # nothing in here goes in circles, and the process is short-lived
    for part in pickle.load(sys.stdin.buffer):  # noqa: S301  from our own process
        pickle.dump(prepared(part), sys.stdout.buffer)
        sys.stdout.buffer.flush()
