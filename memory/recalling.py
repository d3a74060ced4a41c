"""From a query to the entries that help: the index finds, the files are read again, the ranking decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from memory.briefing import Brief, PastFailure, brief, past_failure
from memory.draft import scopes
from memory.entry import Entry
from memory.index import Index, Search
from memory.ranking import Candidate, Recalled, rank
from memory.tokens import query_terms

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
            found = self._index.search(terms)
        else:
            terms = query_terms(" ".join(name for names in target.values() for name in names))
            if not terms:
                return []
            found = self._index.search(terms, column="scope")
        return rank(self._candidates(found), terms, target, limit=limit, now=now)

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
        found = self._index.search(terms)
        failures = [
            failure
            for candidate in self._candidates(found)
            if (failure := past_failure(candidate.entry, names, candidate.superseded_by))
        ]
        return tuple(sorted(failures, key=lambda one: (one.last_failed, one.entry.id), reverse=True)[:limit])

    def _candidates(self, found: Search) -> list[Candidate]:
        """Hits with their entries as the files are now, and successors that did not match themselves."""
        candidates: dict[str, Candidate] = {}
        for hit in sorted(found.hits, key=lambda hit: hit.bank):
            if hit.entry_id not in candidates and (entry := self._load(hit.bank, hit.path)):
                candidates[hit.entry_id] = Candidate(entry, hit.relevance, found.successors.get(hit.entry_id))
        for candidate in [one for one in candidates.values() if one.entry.status != "retired"]:
            current = candidate
            while current.superseded_by and current.superseded_by not in candidates:
                entry = self._first(found.places.get(current.superseded_by, ()))
                if entry is None:
                    break
                current = Candidate(entry, candidate.relevance, found.successors.get(entry.id))
                candidates[entry.id] = current
        return list(candidates.values())

    def _first(self, places: Sequence[tuple[int, str]]) -> Entry | None:
        return next((entry for bank, path in places if (entry := self._load(bank, path))), None)
