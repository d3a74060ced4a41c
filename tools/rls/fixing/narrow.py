"""A campaign about some tables only: what a change touches is attacked, not the whole schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tools.rls.proof.actors import Actor
from tools.rls.proof.attack import Campaign
from tools.rls.proof.reading import ReadingQuery
from tools.rls.proof.writing import Write


@dataclass(slots=True, eq=False)
class Narrow(Campaign):
    """Reads and writes of `tables`; empty means all of them."""

    tables: frozenset[str] = frozenset()

    def attempts_of(self, actor: Actor) -> Iterator[Write]:
        """The writes that an actor tries on these tables.

        The model is narrowed for the time of the question: making writes and leaving most of them out took
        longer than trying the rest.
        """
        model = self.world.model
        if self.tables:
            kept = {title: one for title, one in model.tables.items() if title in self.tables}
            self.world.model = replace(model, tables=kept)
        try:
            return iter(list(Campaign.attempts_of(self, actor)))
        finally:
            self.world.model = model

    def queries_of(self, role: str) -> tuple[ReadingQuery, ...]:
        """The reading queries for these tables."""
        every = Campaign.queries_of(self, role)
        return tuple(query for query in every if not self.tables or query.table in self.tables)
