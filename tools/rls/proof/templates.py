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
                row = self._row(side, belonging, {**fixed, **wanted})
                turned = self._turned(side, belonging, fixed) if row is None else ()
                tries = (self._row(side, belonging, {**one, **wanted}) for one in turned)
                row = row or next((one for one in tries if one is not None), None)
                found += [row] if row is not None else []
            self.made[key] = found
        return self.made[key]

    def _row(self, side: Side, belonging: Belonging, values: Mapping[str, str | None]) -> WorldRow | None:
        try:
            with self.session.savepoint(keep=False):
                row = self.filler.insert(belonging.table, values, self._near(side, belonging))
        except (CannotFill, SqlFailure) as failure:
            self.failed[belonging.table] = str(failure)
            return None
        self.failed.pop(belonging.table, None)
        return WorldRow(belonging.table, "", dict(row.values))

    def _turned(
        self, side: Side, belonging: Belonging, values: Mapping[str, str | None]
    ) -> Iterator[dict[str, str | None]]:
        """Other values where the side's own do not fit: nobody where one account has one row, and the other
        family's record as one of two of a kind that must differ (who refers, and to whom)."""
        relation = self.world.snapshot.relations[belonging.table]
        single = {name for key in relation.keys if key.kind == "u" for name in key.columns}
        free = [n for n in single if n not in values and not relation.columns[n].required]
        if free:
            yield {**values, **dict.fromkeys(free)}
        other = next((one for one in self.world.sides if one.account != side.account), None)
        leading = [hops[0] for hops in belonging.paths if len(hops) == 1 and hops[0].target in side.records]
        for hop in reversed(leading):
            alike = [one for one in leading if one.target == hop.target]
            record = other.records.get(hop.target) if other is not None else None
            if len(alike) > 1 and record is not None:
                pairs = zip(hop.columns, hop.target_columns, strict=True)
                yield {**values, **{column: record.values.get(target) for column, target in pairs}}

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
