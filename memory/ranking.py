"""Which of the entries that match should be read first, and why.

    score = relevance x scope x outcomes x freshness x confidence x status

Relevance is the index's, as a share of the best hit, times the share of the query's meaning that the entry
carries. Scope is the present target's where it is given, else what the query itself names. A superseded
entry never stands above its successor, a fix that failed sinks and carries a warning, and one past its
`valid_until` sinks and says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from memory.entry import ANYWHERE, AppliesTo, Entry
from memory.fingerprint import MARK
from memory.ulid import ulid_time

# Hits this far below the best one share a common word and little else.
_WORTH_SHOWING = 0.12
_SCOPE_WEIGHTS = {"table": 1.6, "service": 1.35, "project": 1.35, "versions": 1.2}
_NAMED, _NAMED_OTHER = 1.15, 0.7
_BY_SHARE = 0.7
SAME_ERROR = 3
"""Runs of words that two messages have in common when they tell of the same failure."""
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
    """An entry that matched: how well (the index's own scale), its successor, which terms it has, and which
    share of the query's meaning they are (0 to 1)."""

    entry: Entry
    relevance: float
    superseded_by: str | None = None
    matched: tuple[str, ...] = ()
    share: float = 1.0
    alike: tuple[str, ...] = ()  # synonyms of the query's words


def rank(
    candidates: Sequence[Candidate],
    target: AppliesTo,
    *,
    limit: int,
    now: datetime,
    said: AppliesTo = ANYWHERE,
) -> list[Recalled]:
    """The best `limit` candidates in a `target` scope, best first. `said` is what the query names itself.

    `now` is aware.
    """
    best = max((candidate.relevance for candidate in candidates), default=0.0)
    scored = [
        score(replace(candidate, relevance=candidate.relevance / best), target, now, said)
        for candidate in candidates
        if candidate.entry.status != "retired" and best > 0 and candidate.relevance >= _WORTH_SHOWING * best
    ]
    ordered = _behind_successors({one.entry.id: one for one in scored})
    return sorted(ordered, key=lambda one: (-one.score, one.entry.id))[:limit]


def score(candidate: Candidate, target: AppliesTo, now: datetime, said: AppliesTo = ANYWHERE) -> Recalled:
    """One candidate, its relevance already a share of the best, with its score and reasons."""
    entry = candidate.entry
    why = _matched(candidate.matched)
    if candidate.alike:
        why.append("says in other words " + ", ".join(candidate.alike[:3]))
    value = candidate.relevance * (1 - _BY_SHARE + _BY_SHARE * candidate.share)
    value *= _CONFIDENCE[entry.confidence]
    value *= _scope(entry.applies_to, target, why)
    value *= _said(entry.applies_to, {name: said[name] for name in said if not target.get(name)})
    value *= _outcomes(entry, why)
    value *= 1 + 0.1 * math.exp(-_age_days(entry, now) / 180)
    if entry.valid_until and entry.valid_until < now.astimezone(UTC).date():
        value *= 0.35
        why.append(f"expired on {entry.valid_until.isoformat()}: check before use")
    if candidate.superseded_by or entry.status == "superseded":
        value *= 0.25
        why.append(f"superseded by {candidate.superseded_by}" if candidate.superseded_by else "superseded")
    return Recalled(
        entry, value, tuple(why), warning(entry), candidate.superseded_by, relevance=candidate.share
    )


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


def _matched(terms: Sequence[str], limit: int = 5) -> list[str]:
    runs = [term for term in terms if term.startswith(MARK)]
    # An identifier that matched as a whole makes its parts needless.
    plain = [
        term
        for term in terms
        if term not in runs and not any(term != other and term in other.split("_") for other in terms)
    ]
    error = "the same error" if len(runs) >= SAME_ERROR else "a similar error"
    why = [f"{error}: {_joined(runs)}"] if runs else []
    return [*why, "matches " + ", ".join(plain[:limit])] if plain else why


def _joined(runs: Sequence[str], limit: int = 8) -> str:
    """Overlapping runs of words as the words they were cut from."""
    spoken: list[str] = []
    for run in runs:
        cut = run.removeprefix(MARK).split("_")
        spoken += cut[-1:] if spoken[-2:] == cut[:2] else cut
    return " ".join(spoken[:limit])


def _said(applies_to: AppliesTo, said: AppliesTo) -> float:
    """What the query names counts less than a given target: it may be named in passing."""
    factor = 1.0
    for scope, names in applies_to.items():
        if names and said.get(scope):
            factor *= _NAMED if _folded(names) & set(said[scope]) else _NAMED_OTHER
    return factor


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
