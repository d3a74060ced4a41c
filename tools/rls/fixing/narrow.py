"""A campaign about some tables only: what a change touches is attacked, not the whole schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.rls.proof.actors import Actor
from tools.rls.proof.attack import Campaign
from tools.rls.proof.reading import ReadingQuery
from tools.rls.proof.writing import Write


@dataclass(slots=True, eq=False)
class Narrow(Campaign):
    """Reads and writes of `tables`; empty means all of them."""

    tables: frozenset[str] = frozenset()

    def attempts_of(self, actor: Actor) -> Iterator[Write]:
        """The writes that an actor tries on these tables."""
        every = Campaign.attempts_of(self, actor)
        return (write for write in every if not self.tables or write.table in self.tables)

    def queries_of(self, role: str) -> tuple[ReadingQuery, ...]:
        """The reading queries for these tables."""
        every = Campaign.queries_of(self, role)
        return tuple(query for query in every if not self.tables or query.table in self.tables)
