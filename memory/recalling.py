"""From a query to the entries that help: the index finds, the files are read again, the ranking decides."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from memory.briefing import Brief, PastFailure, brief, past_failure
from memory.draft import scopes
from memory.entry import AppliesTo, Entry
from memory.fingerprint import MARK, error_runs
from memory.index import Index, Search
from memory.ranking import SAME_ERROR, Candidate, Recalled, rank
from memory.stems import stems
from memory.synonyms import synonyms
from memory.tokens import identifiers, query_terms, words

_PIECE = re.compile(r"[^\W_]+")
_LOOKED_AT = 14
_FOR_WARNINGS = 100
_SYNONYM = 0.7  # what a word is worth of which only a synonym is there
Load = Callable[[int, str], Entry | None]
"""The entry in a bank's file (the bank's place, relative path), or None when there is none that counts."""


class Recalling:
    """Searches over the banks in `roots` (the upper of two same ids counts) with the index at `location`."""

    def __init__(self, location: Path | None, roots: Sequence[Path], load: Load) -> None:
        self._index = Index(location, roots)
        self._load = load

    def recall(
        self, query: str, *, now: datetime, applies_to: Mapping[str, str | Sequence[str]] | None, limit: int
    ) -> list[Recalled]:
        """See `Banks.recall`."""
        target = scopes(applies_to or {})
        terms = query_terms(query)
        if terms:
            terms = [*error_runs(query, everywhere=True), *terms]
            alike = synonyms(terms)
            found = self._index.search(terms, also=_once(alike), limit=max(_LOOKED_AT, 2 * limit))
        else:
            terms = query_terms(" ".join(name for names in target.values() for name in names))
            if not terms:
                return []
            alike = {}
            found = self._index.search(terms, column="scope", limit=max(_LOOKED_AT, 2 * limit))
        candidates = self._candidates(found, terms, alike)
        return rank(candidates, target, limit=limit, now=now, said=_said(candidates, terms))

    def brief(
        self,
        query: str,
        *,
        now: datetime,
        applies_to: Mapping[str, str | Sequence[str]] | None,
        budget_tokens: int,
    ) -> Brief:
        """See `Banks.brief`."""
        found = self.recall(query, now=now, applies_to=applies_to, limit=10)
        return brief(found, budget_tokens=budget_tokens)

    def warnings_for(self, names: Sequence[str], *, limit: int) -> tuple[PastFailure, ...]:
        """See `Banks.warnings_for`."""
        terms = query_terms(" ".join(names))
        if not terms:
            return ()
        found = self._index.search(terms, limit=_FOR_WARNINGS)
        failures = [
            failure
            for candidate in self._candidates(found, terms, {})
            if (failure := past_failure(candidate.entry, names, candidate.superseded_by))
        ]
        return tuple(sorted(failures, key=lambda one: (one.last_failed, one.entry.id), reverse=True)[:limit])

    def _candidates(
        self, found: Search, terms: Sequence[str], alike: Mapping[str, Sequence[str]]
    ) -> list[Candidate]:
        """Hits with their entries as the files are now, and successors that did not match themselves."""
        candidates: dict[str, Candidate] = {}
        weights = {term: found.weights[term] for term in terms if term in found.weights}
        asked = _Asked([*weights, *_once(alike)])
        for hit in sorted(found.hits, key=lambda hit: hit.bank):
            if hit.entry_id not in candidates and (entry := self._load(hit.bank, hit.path)):
                successor = found.successors.get(hit.entry_id)
                matched = asked.matched(entry)
                share = _share(matched, weights, alike)
                own = tuple(term for term in matched if term in weights)
                others = tuple(term for term in matched if term not in weights)
                candidates[hit.entry_id] = Candidate(entry, hit.relevance, successor, own, share, others)
        for entry_id in list(candidates):
            self._lift_successors(entry_id, candidates, found)
        return list(candidates.values())

    def _lift_successors(self, entry_id: str, candidates: dict[str, Candidate], found: Search) -> None:
        """Whatever replaced an entry matters as much as that did, whether or not it has the same words."""
        old = candidates[entry_id]
        seen = {entry_id}
        while old.entry.status != "retired" and old.superseded_by and old.superseded_by not in seen:
            new = candidates.get(old.superseded_by)
            if new is None:
                entry = self._first(found.places.get(old.superseded_by, ()))
                if entry is None:
                    return
                new = Candidate(entry, 0.0, found.successors.get(entry.id), share=0.0)
            relevance, share = max(old.relevance, new.relevance), max(old.share, new.share)
            old = candidates[new.entry.id] = replace(new, relevance=relevance, share=share)
            seen.add(new.entry.id)

    def _first(self, places: Sequence[tuple[int, str]]) -> Entry | None:
        return next((entry for bank, path in places if (entry := self._load(bank, path))), None)


class _Asked:
    """The terms of a query, ready to be looked for in entries."""

    def __init__(self, terms: Iterable[str]) -> None:
        stemmed = stems(terms)
        self._plain = {term: stem for term, stem in stemmed.items() if not term.startswith(MARK)}
        self._runs = [term for term in stemmed if term.startswith(MARK)]
        whole = (term for term in self._plain if "_" in term or not term.isalpha())
        self._whole = [_stems_of(term.split("_")) for term in whole]
        self._parts_of_runs = [_stems_of(run.removeprefix(MARK).split("_")) for run in self._runs]

    def matched(self, entry: Entry) -> tuple[str, ...]:
        """The terms that `entry` has."""
        notes = [outcome.note for outcome in entry.outcomes]
        names = [name for names in entry.applies_to.values() for name in names]
        told = "\n".join((entry.title, entry.context, entry.action, entry.result, entry.why, *notes))
        text = "\n".join((told, entry.preamble, *entry.tags, *names))
        spoken = itertools.chain.from_iterable(map(_words_of, set(_PIECE.findall(text))))
        known = set(stems(spoken).values())
        # Only what is there in its parts can be there as a whole.
        runs: set[str] = set()
        if any(parts <= known for parts in self._parts_of_runs):
            runs.update(error_runs(told, most=60))
        if any(parts <= known for parts in self._whole):
            known.update(stems(identifiers(text)).values())
        found = [run for run in self._runs if run in runs]
        return (*found, *(term for term, stem in self._plain.items() if stem in known))


@functools.lru_cache(maxsize=50_000)
def _words_of(piece: str) -> tuple[str, ...]:
    return tuple(words(piece))


def _stems_of(words: Iterable[str]) -> frozenset[str]:
    return frozenset(stems(words).values())


def _share(matched: Sequence[str], weights: Mapping[str, float], alike: Mapping[str, Sequence[str]]) -> float:
    """The share of the query's meaning that `matched` carries; a message with three runs in common is all."""
    present = set(matched)
    runs = sum(term.startswith(MARK) for term in matched)
    plain = {term: weight for term, weight in weights.items() if not term.startswith(MARK)}
    whole = sum(plain.values())
    part = sum(
        weight if term in present else _SYNONYM * weight
        for term, weight in plain.items()
        if term in present or not present.isdisjoint(alike.get(term, ()))
    )
    return min(1.0, max(part / whole if whole else 0.0, runs / SAME_ERROR))


def _once(alike: Mapping[str, Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(other for others in alike.values() for other in others))


def _said(candidates: Sequence[Candidate], terms: Sequence[str]) -> AppliesTo:
    """The names, of those that the candidates apply to, which the query says itself."""
    spoken = set(terms)
    said: dict[str, tuple[str, ...]] = {}
    for candidate in candidates:
        for scope, names in candidate.entry.applies_to.items():
            for name in names:
                folded = name.casefold()
                if folded in spoken or "_".join(words(name)) in spoken:
                    said[scope] = (*said.get(scope, ()), folded)
    return said
