"""The memory bank in figures: what there is, whether it worked, how old it is, whether anybody recalls it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from memory import CATEGORIES, CONFIDENCES, RESULTS, Entry
from memory.entry import STATUSES
from memory.ulid import tail
from memory.usage import Usage

_MOST: Final = 5
_AGES: Final = ((30, "30 days"), (180, "half a year"), (365, "a year"))


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts; ages in days since an entry was last confirmed by an outcome or a person."""

    entries: int
    own: int
    category: dict[str, int]
    status: dict[str, int]
    confidence: dict[str, int]
    outcomes: dict[str, int]
    without_outcome: int
    expired: int
    age: dict[str, int]
    counted_since: datetime | None
    most_recalled: tuple[tuple[Entry, int], ...]
    never_recalled: tuple[Entry, ...]
    """Own active entries that were never recalled since counting began; empty before."""
    problems: int


def stats(entries: Sequence[Entry], own: Iterable[str], usage: Usage, now: datetime, problems: int) -> Stats:
    """The figures. `own` are the ids of the entries that do not ship with Sergei."""
    ours = set(own)
    outcomes = Counter(outcome.result for entry in entries for outcome in entry.outcomes)
    recalled = [(entry, usage.times(entry.id)) for entry in entries if usage.times(entry.id)]
    never = [
        entry
        for entry in entries
        if usage.since and entry.id in ours and entry.status == "active" and not usage.times(entry.id)
    ]
    return Stats(
        entries=len(entries),
        own=len(ours),
        category=_counted((entry.category for entry in entries), CATEGORIES),
        status=_counted((entry.status for entry in entries), STATUSES),
        confidence=_counted((entry.confidence for entry in entries), CONFIDENCES),
        outcomes={result: outcomes[result] for result in RESULTS},
        without_outcome=sum(not entry.outcomes for entry in entries),
        expired=sum(bool(entry.valid_until and entry.valid_until < now.date()) for entry in entries),
        age=_ages(entries, now),
        counted_since=usage.since,
        most_recalled=tuple(sorted(recalled, key=lambda pair: (-pair[1], pair[0].id))[:_MOST]),
        never_recalled=tuple(never),
        problems=problems,
    )


def _counted(values: Iterable[str], words: Sequence[str]) -> dict[str, int]:
    counts = Counter(values)
    return {word: counts[word] for word in words if counts[word]}


def _ages(entries: Iterable[Entry], now: datetime) -> dict[str, int]:
    from memory.reviewing import last_confirmed

    days = [max(0, (now - last_confirmed(entry)).days) for entry in entries]
    found: dict[str, int] = {}
    lower = 0
    for limit, name in _AGES:
        found[f"within {name}"] = sum(lower <= day < limit for day in days)
        lower = limit
    found["older"] = sum(day >= lower for day in days)
    return found


def lines(found: Stats) -> list[str]:
    """The figures for a person."""
    said = [f"{found.entries} entries, {found.own} of them your own"]
    tables = (
        ("Category", found.category),
        ("Status", found.status),
        ("Confidence", found.confidence),
        ("Outcomes", {**found.outcomes, "no outcome yet": found.without_outcome}),
        ("Last confirmed", found.age),
    )
    for name, counts in tables:
        said += ["", name, *(f"  {count:>6}  {word}" for word, count in counts.items() if count)]
    said += ["", "Recalled most"]
    said += [f"  {times:>6}x {tail(entry.id)}  {entry.title}" for entry, times in found.most_recalled]
    if found.counted_since is None:
        said.append("          Nothing was recalled on this machine yet.")
    elif found.never_recalled:
        since = found.counted_since.date().isoformat()
        said += ["", f"Your own, never recalled since {since}: {len(found.never_recalled)}"]
        said += [f"          {tail(entry.id)}  {entry.title}" for entry in found.never_recalled[:_MOST]]
    troubles = [
        (found.expired, "past the day until which they are valid: `sergei memory review`"),
        (found.problems, "files with a problem: `sergei memory lint`"),
    ]
    wanting = [f"  {count:>6}  {what}" for count, what in troubles if count]
    return [*said, *(["", "Wanting a look", *wanting] if wanting else [])]


def document(found: Stats) -> dict[str, Any]:
    """The figures for a program."""
    return {
        "entries": found.entries,
        "own": found.own,
        "category": found.category,
        "status": found.status,
        "confidence": found.confidence,
        "outcomes": found.outcomes,
        "without_outcome": found.without_outcome,
        "expired": found.expired,
        "last_confirmed": found.age,
        "counted_since": found.counted_since.isoformat() if found.counted_since else None,
        "most_recalled": [
            {"id": entry.id, "title": entry.title, "times": times} for entry, times in found.most_recalled
        ],
        "never_recalled": [{"id": entry.id, "title": entry.title} for entry in found.never_recalled],
        "problems": found.problems,
    }
