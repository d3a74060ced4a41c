"""New rows as an attack may insert them: valid for every constraint, made once and rolled back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tools.rls.proof.model import Belonging
from tools.rls.proof.side import Side, living, top_rank
from tools.rls.proof.world import World, WorldRow
from tools.sandbox.scratch.fill import CannotFill, Filler, Row
from tools.sandbox.scratch.session import ScratchSession, SqlFailure

Made = tuple[str, str, tuple[tuple[str, str | None], ...]]
"""A side, a table, and the values that its rows were wanted with."""
NOTHING: Final[Mapping[str, str | None]] = {}


@dataclass(slots=True, eq=False)
class Templates:
    """Rows that could be inserted for a side: valid for every constraint, made once and rolled back."""

    world: World
    filler: Filler
    session: ScratchSession
    shapes_generated: Mapping[str, frozenset[str]]
    """Columns of a table that nobody may name in an INSERT: generated ones."""
    visitor: str = ""
    made: dict[Made, list[WorldRow]] = field(default_factory=dict["Made", list[WorldRow]])
    failed: dict[str, str] = field(default_factory=dict[str, str])

    def rows(
        self, side: Side, belonging: Belonging, wanted: Mapping[str, str | None] = NOTHING
    ) -> list[WorldRow]:
        """New rows of a table for a side, with `wanted` values: one, or one per rank and life in openings."""
        key = (side.name, belonging.table, tuple(sorted(wanted.items())))
        if key not in self.made:
            found: list[WorldRow] = []
            for fixed in self._wanted(side, belonging):
                try:
                    with self.session.savepoint(keep=False):
                        row = self.filler.insert(
                            belonging.table, {**fixed, **wanted}, self._near(side, belonging)
                        )
                    found.append(WorldRow(belonging.table, "", dict(row.values)))
                except (CannotFill, SqlFailure) as failure:
                    self.failed[belonging.table] = str(failure)
            self.made[key] = found
        return self.made[key]

    def _near(self, side: Side, belonging: Belonging) -> list[Row]:
        return [*(row for row in side.rows if row.table != belonging.table), *side.spares]

    def _wanted(self, side: Side, belonging: Belonging) -> Iterator[dict[str, str | None]]:
        base: dict[str, str | None] = {
            way.column: self.visitor for way in belonging.parties if not way.hops and self.visitor
        }
        for hops in belonging.paths:
            anchor = hops[-1].target if hops else ""
            if len(hops) == 1 and anchor in side.records:
                for column, target in zip(hops[0].columns, hops[0].target_columns, strict=True):
                    base[column] = side.records[anchor].values.get(target)
        opening = next((o for o in self.world.model.openings if o.table == belonging.table), None)
        if opening is None:
            yield base
            return
        relation = self.world.snapshot.relations[belonging.table]
        own = [c for c in opening.conditions if not c.hops]
        alive = {c.column: living(c, nullable=not relation.columns[c.column].required) for c in own}
        ranks = [rank.value for rank in opening.ranks] or [""]
        for rank in sorted(ranks, key=lambda value: value != top_rank(opening)):
            level: dict[str, str | None] = {opening.level: rank} if opening.level and rank else {}
            yield {**base, **alive, **level}
            for column, before, _ in opening.accepts[:1]:
                yield {**base, **alive, **level, column: before}
