"""A campaign about some tables only: what a change touches is attacked, by everybody, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from tools.rls.proof.actors import Actor
from tools.rls.proof.attack import Campaign
from tools.rls.proof.reading import ReadingQuery
from tools.rls.proof.tactics import Tactics
from tools.rls.proof.writing import Write


@dataclass(eq=False)
class Thorough(Tactics):
    """Writes on `tables` (all, where none are named), every one of them tried by every actor."""

    tables: frozenset[str] = frozenset()

    @cached_property
    def leading(self) -> frozenset[Actor]:
        """Everybody, where the tables are few."""
        return frozenset(self.world.actors) if self.tables else super().leading

    def writes_of(self, actor: Actor) -> Iterator[Write]:
        """The writes that an actor tries on these tables.

        The model is narrowed for the time of the question: making writes and leaving most of them out took
        longer than trying the rest. What depends on the whole model is worked out before.
        """
        model = self.world.model
        if self.tables:
            _ = (self.trusted, self.leading, self.examples)
            kept = {title: one for title, one in model.tables.items() if title in self.tables}
            self.world.model = replace(model, tables=kept)
        try:
            return iter(list(super().writes_of(actor)))
        finally:
            self.world.model = model


@dataclass(eq=False)
class Narrow(Campaign):
    """Reads and writes of `tables`; empty means all of them."""

    tables: frozenset[str] = frozenset()

    @cached_property
    def tactics(self) -> Thorough:
        """Who tries what."""
        return self.tactics_for(self.tables)

    def tactics_for(self, tables: frozenset[str]) -> Thorough:
        """The same for other tables."""
        return Thorough(self.world, self.standings, self.templates, self.seen, tables=tables)

    def queries_of(self, role: str) -> tuple[ReadingQuery, ...]:
        """The reading queries for these tables."""
        every = super().queries_of(role)
        return tuple(query for query in every if not self.tables or query.table in self.tables)
