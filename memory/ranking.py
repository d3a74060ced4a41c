"""Which of the entries that match should be read first, and why.

    score = relevance x scope x outcomes x freshness x confidence x status

Relevance is the index's, as a share of the best hit. A superseded entry never stands above its successor, a
fix that failed sinks and carries a warning, and one past its `valid_until` sinks and says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from memory.entry import AppliesTo, Entry
from memory.tokens import identifiers, words
from memory.ulid import ulid_time

# Hits this far below the best one share a common word and little else.
_WORTH_SHOWING = 0.12
_SCOPE_WEIGHTS = {"table": 1.6, "service": 1.35, "project": 1.35, "versions": 1.2}
_CONFIDENCE = {"low": 0.85, "medium": 1.0, "high": 1.1}


@dataclass(frozen=True, slots=True)
class Recalled:
    """An entry with its score (0 to about 4), short reasons, and what to beware of.

    `relevance` is the share of the query's meaning that the entry carries, 0 to 1: rare words mean more.
    """

    entry: Entry
    score: float
    why: tuple[str, ...]
    warning: str | None = None
    superseded_by: str | None = None
    relevance: float = 1.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that matched, how well (the index's own scale), and the id of its successor."""

    entry: Entry
    relevance: float
    superseded_by: str | None = None


def rank(
    candidates: Sequence[Candidate], terms: Sequence[str], target: AppliesTo, *, limit: int, now: datetime
) -> list[Recalled]:
    """The best `limit` candidates for a query of `terms` in a `target` scope, best first. `now` is aware."""
    best = max((candidate.relevance for candidate in candidates), default=0.0)
    scored = [
        score(replace(candidate, relevance=candidate.relevance / best), terms, target, now)
        for candidate in candidates
        if candidate.entry.status != "retired" and best > 0 and candidate.relevance >= _WORTH_SHOWING * best
    ]
    ordered = _behind_successors({one.entry.id: one for one in scored})
    return sorted(ordered, key=lambda one: (-one.score, one.entry.id))[:limit]


def score(candidate: Candidate, terms: Sequence[str], target: AppliesTo, now: datetime) -> Recalled:
    """One candidate, its relevance already a share of the best, with its score and reasons."""
    entry = candidate.entry
    why: list[str] = []
    if matched := _matched(entry, terms):
        why.append("matches " + ", ".join(matched))
    value = candidate.relevance * _CONFIDENCE[entry.confidence]
    value *= _scope(entry.applies_to, target, why)
    value *= _outcomes(entry, why)
    value *= 1 + 0.1 * math.exp(-_age_days(entry, now) / 180)
    if entry.valid_until and entry.valid_until < now.astimezone(UTC).date():
        value *= 0.35
        why.append(f"expired on {entry.valid_until.isoformat()}: check before use")
    if candidate.superseded_by or entry.status == "superseded":
        value *= 0.25
        why.append(f"superseded by {candidate.superseded_by}" if candidate.superseded_by else "superseded")
    return Recalled(entry, value, tuple(why), warning(entry), candidate.superseded_by)


def warning(entry: Entry) -> str | None:
    """What failed the last time it did, in one sentence, or None."""
    failures = [outcome for outcome in entry.outcomes if outcome.result == "failed"]
    if not failures:
        return None
    last = max(failures, key=lambda outcome: outcome.when)
    where = f" ({last.ref})" if last.ref else ""
    note = f": {last.note}" if last.note else "."
    count = f"worked {entry.count('worked')}, failed {entry.count('failed')}"
    return f"Failed on {last.when.date().isoformat()}{where}, {count}{note}"


def _matched(entry: Entry, terms: Sequence[str], limit: int = 5) -> list[str]:
    text = "\n".join(
        (entry.title, " ".join(entry.tags), entry.context, entry.action, entry.result, entry.why)
    )
    text += "\n" + " ".join(name for names in entry.applies_to.values() for name in names)
    present = {*words(text), *identifiers(text)}
    stems = {_stem(word) for word in present}
    found = [term for term in terms if term in present or _stem(term) in stems]
    # An identifier that matched as a whole makes its parts needless.
    return [term for term in found if not any(term != other and term in other.split("_") for other in found)][
        :limit
    ]


def _stem(word: str) -> str:
    """Close enough to the index's stemming to say what matched; nothing is ranked by it."""
    for ending in ("ing", "ies", "ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _scope(applies_to: AppliesTo, target: AppliesTo, why: list[str]) -> float:
    factor = 1.0
    for scope, names in applies_to.items():
        wanted = _folded(target.get(scope, ()))
        if not wanted or not names:
            continue
        if common := _folded(names) & wanted:
            factor *= _SCOPE_WEIGHTS.get(scope, 1.2)
            why.append(f"applies to {scope} {', '.join(sorted(common))}")
        else:
            factor *= 0.4
            why.append(f"is about {scope} {', '.join(names)}")
    return factor


def _folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}


def _outcomes(entry: Entry, why: list[str]) -> float:
    worked, failed, partly = entry.count("worked"), entry.count("failed"), entry.count("partly")
    if not entry.outcomes:
        return 1.0
    told = [
        f"{word} {number}x"
        for word, number in (("worked", worked), ("partly", partly), ("failed", failed))
        if number
    ]
    why.append(", ".join(told))
    if failed and not worked:
        return 0.35
    share = (worked + 0.5 * partly + 1) / (worked + partly + failed + 1)
    last_failed = max(entry.outcomes, key=lambda outcome: outcome.when).result == "failed"
    return share * (1 + 0.05 * min(worked, 4)) * (0.6 if last_failed else 1.0)


def _age_days(entry: Entry, now: datetime) -> float:
    moments = [outcome.when for outcome in entry.outcomes] or [ulid_time(entry.id)]
    return max(0.0, (now - max(moments)).total_seconds() / 86400)


def _behind_successors(found: Mapping[str, Recalled]) -> list[Recalled]:
    """Every superseded entry is held just below the one that replaced it, along the whole chain."""
    result: list[Recalled] = []
    for one in found.values():
        ceiling, seen, current = math.inf, {one.entry.id}, one
        while current.superseded_by and current.superseded_by not in seen and current.superseded_by in found:
            seen.add(current.superseded_by)
            current = found[current.superseded_by]
            ceiling = min(ceiling * 0.99, current.score * 0.99)
        result.append(replace(one, score=min(one.score, ceiling)))
    return result
