"""The domain set: two years of one team's notes, and questions that a tired engineer would ask of them.

All of it is made up: no system, person or incident is real. The notes lie in `notes/CATEGORY.notes`, a form
that is quick to read and to correct; `notes()` makes entries of them:

    ## key | Title
    2025-03-06 worked high | service=render,supabase table=jobs | tag, tag | where it comes from
    C: context (optional)
    A: action
    R: result
    W: why (optional)
    supersedes: another-key (optional; that note becomes superseded)
    later: 2025-09-15 failed What came of it another time (optional, repeatable)

The second line is date, outcome, confidence | applies_to | tags | source. Each part is one line.

`questions.jsonl` holds one question a line: `question`, `expects` (keys of notes, empty where the bank has
nothing), `kind`, and `applies_to` where the asker's target is known. The questions were written from the
problem, before any search was tried on them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

from memory import Entry, Source, parse_entry, render_entry
from memory.draft import note_of, scopes
from memory.entry import ANYWHERE, RESULTS, AppliesTo, Category, Confidence, Outcome, Result

Kind = Literal["paraphrase", "error", "identifier", "distractor", "superseded", "nothing"]
KINDS: tuple[Kind, ...] = get_args(Kind)

HERE = Path(__file__).parent
_ULID_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_HEAD = re.compile(r"## ([a-z0-9-]+) \| (.+)")
_PARTS = {"C": "context", "A": "action", "R": "result", "W": "why"}


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the ids of the entries that answer it (any of them will do), and what it tries."""

    question: str
    expects: tuple[str, ...]
    kind: Kind
    applies_to: AppliesTo = field(default_factory=lambda: ANYWHERE, hash=False)


def notes() -> list[Entry]:
    """Every note as an entry, oldest first; the same ids in every run."""
    found = [entry for file in sorted(HERE.glob("notes/*.notes")) for entry in _read(file)]
    old = {former for entry in found for former in entry.supersedes}
    marked = [replace(entry, status="superseded") if entry.id in old else entry for entry in found]
    # Through the file's text, so that the benchmark searches what a bank would have read.
    return sorted((parse_entry(render_entry(entry)) for entry in marked), key=lambda entry: entry.id)


def questions() -> list[Question]:
    """The questions in the order of the file, with the ids that `notes()` gives."""
    dates = _dates()
    found: list[Question] = []
    for line in (HERE / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        given = json.loads(line)
        expects = tuple(_ulid(key, dates[key]) for key in given["expects"])
        found.append(Question(given["question"], expects, given["kind"], scopes(given.get("applies_to", {}))))
    return found


def keys() -> Mapping[str, str]:
    """The key of each note by the id of its entry."""
    return MappingProxyType({_ulid(key, day): key for key, day in _dates().items()})


def _dates() -> dict[str, datetime]:
    """The day of each note by its key."""
    found: dict[str, datetime] = {}
    for file in sorted(HERE.glob("notes/*.notes")):
        for block in _blocks(file):
            key = _heading(file, block[0])[0]
            if key in found:
                raise ValueError(f"{file.name} gives the key '{key}' a second time.")
            found[key] = _moment(block[1][:10])
    return found


def _read(file: Path) -> Iterator[Entry]:
    dates = _dates()
    for block in _blocks(file):
        key, title = _heading(file, block[0])
        first, scope, tags, source = (part.strip() for part in block[1].split(" | "))
        day, outcome, confidence = first.split()
        parts = dict(_part(key, line) for line in block[2:] if line[:2] in ("C:", "A:", "R:", "W:"))
        other = [line.split(": ", 1) for line in block[2:] if line[:2] not in ("C:", "A:", "R:", "W:")]
        if odd := {name for name, _ in other} - {"supersedes", "later"}:
            raise ValueError(f"{file.name}, '{key}': no such line as {', '.join(sorted(odd))}.")
        first_outcome = Outcome(_moment(day), source, _result(outcome), note_of(parts["result"]))
        yield Entry(
            id=_ulid(key, dates[key]),
            title=title,
            category=cast("Category", file.stem),
            tags=tuple(tag.strip().strip('"') for tag in tags.split(",")),
            applies_to=scopes(dict(_scope(part) for part in scope.split())),
            confidence=cast("Confidence", confidence),
            supersedes=tuple(_ulid(old, dates[old]) for name, old in other if name == "supersedes"),
            source=Source(source),
            outcomes=(first_outcome, *(_later(text, source) for name, text in other if name == "later")),
            context=parts.get("context", ""),
            action=parts["action"],
            result=parts["result"],
            why=parts.get("why", ""),
        )


def _blocks(file: Path) -> Iterator[Sequence[str]]:
    for block in re.split(r"\n{2,}", file.read_text(encoding="utf-8").strip()):
        yield block.splitlines()


def _heading(file: Path, line: str) -> tuple[str, str]:
    match = _HEAD.fullmatch(line)
    if match is None:
        raise ValueError(f"{file.name}: a note starts with '## key | Title', not with '{line}'.")
    return match.group(1), match.group(2)


def _part(key: str, line: str) -> tuple[str, str]:
    text = line[2:].strip()
    if not text:
        raise ValueError(f"'{key}': the part {line[0]} is empty.")
    return _PARTS[line[0]], text


def _scope(part: str) -> tuple[str, list[str]]:
    name, _, values = part.partition("=")
    return name, values.split(",")


def _later(text: str, source: str) -> Outcome:
    day, outcome, note = text.split(" ", 2)
    return Outcome(_moment(day), source, _result(outcome), note)


def _result(word: str) -> Result:
    for result in RESULTS:
        if word == result:
            return result
    raise ValueError(f"An outcome is one of {', '.join(RESULTS)}, not '{word}'.")


def _moment(day: str) -> datetime:
    return datetime.combine(datetime.fromisoformat(day).date(), time(9), UTC)


def _ulid(key: str, moment: datetime) -> str:
    """A ULID of that day whose other bits come from the key."""
    bits = int.from_bytes(hashlib.sha256(key.encode()).digest()[:10], "big")
    number = (int(moment.timestamp() * 1000) << 80) | bits
    return "".join(_ULID_DIGITS[(number >> shift) & 31] for shift in range(125, -1, -5))
