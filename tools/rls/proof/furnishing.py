"""Furnishes a world: a row in every table for each side, and its neighbours by what policies compare."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from tools.rls.proof.coverage import Variant
from tools.rls.proof.model import STAFF, Belonging, Condition, Kind
from tools.rls.proof.offices import plain_level
from tools.rls.proof.population import Population
from tools.rls.proof.side import Side
from tools.sandbox.scratch.fill import CannotFill, Row
from tools.sandbox.scratch.session import SqlFailure

VALUES_TRIED: Final = 4
"""How many constants of one column get a row of their own."""


class Furnishing:
    """Fills the tables of a population's world."""

    def __init__(self, population: Population) -> None:
        self.population = population
        self.snapshot = population.snapshot
        self.model = population.model
        self.world = population.world
        self.filler = population.filler

    def furnish(self) -> None:
        """Every side, neighbours of its rows, and spare parents for new ones."""
        for side in list(self.world.sides):
            self.fill(side)
        self.neighbours()
        for side in self.world.sides[:2]:
            self.spare(side)
            self.employ(side)

    def employ(self, side: Side) -> None:
        """The owner's own row where rows make staff: one that does not, so that raising it is tried."""
        for opening in self.model.openings:
            level = plain_level(self.world, opening)
            if level is not None:
                own: dict[str, str | None] = {opening.account.column: side.account, opening.level: level}
                with suppress(CannotFill, SqlFailure):  # a table of staff alone takes nobody else
                    side.add(self.filler.insert(opening.table, own, side.rows))

    def fill(self, side: Side) -> None:
        """A row of every table for this side, parents first; written and received by its owner."""
        staffed = {opening.table for opening in self.model.openings if opening.anchor == STAFF}
        plain = side in self.world.sides[:2]
        for belonging in self._ordered():
            title = belonging.table
            if title in side.records or title in staffed or self.population.is_mirror(title):
                continue
            if title in self.tables() and side.of(title) is not None:
                continue
            if not plain and (belonging.kind is not Kind.SCOPED or title in self.tables()):
                continue
            if title in self.model.anchors and title != self.model.accounts:
                continue
            self.place(side, belonging, side.account, side.account)
        if side.name != "a":
            return
        ended = next((account for account, spec in self.world.holders.items() if not spec.live), "")
        if ended:
            self.let_in_by(ended)
        for belonging in self._ordered():
            if belonging.kind is not Kind.SCOPED or not ended or belonging.table in self.tables():
                continue
            if belonging.authors:
                self.place(side, belonging, ended, side.account, keep=False)
            if belonging.parties and not self.personal(belonging.table):
                self.place(side, belonging, side.account, ended, keep=False)

    def let_in_by(self, author: str) -> None:
        """In every opening a living row that `author` wrote for somebody else while he was still let in."""
        for opening in self.model.openings:
            row, belonging = self.population.opened.get(opening.name), self.model.tables.get(opening.table)
            authors = [way.column for way in belonging.authors if not way.hops] if belonging else []
            if row is None or not authors or opening.anchor == STAFF:
                continue
            changes: dict[str, str | None] = dict.fromkeys(authors, author)
            if not opening.account.hops:
                changes[opening.account.column] = self.population.account()
            with suppress(CannotFill, SqlFailure):  # one row for one account, or nobody else may write it
                self.filler.variant(row, changes)

    def place(
        self, side: Side, belonging: Belonging, author: str, party: str, *, keep: bool = True
    ) -> Row | None:
        """A row of a table for a side, written by `author`, about `party`; None (and a gap) if impossible."""
        fixed: dict[str, str | None] = {
            way.column: author
            for way in belonging.authors
            if not way.hops and self._takes(belonging.table, way.column)
        }
        people = [way.column for way in belonging.parties if not way.hops]
        fixed |= dict.fromkeys(people, party)
        alive: list[Condition] = []
        for opening in self.model.openings:
            if opening.table == belonging.table:
                own = [condition for condition in opening.conditions if not condition.hops]
                alive = own
        anchors: set[str] = set()
        for hops in belonging.paths:
            anchor = hops[-1].target if hops else ""
            if len(hops) == 1 and anchor in side.records:
                record = side.records[anchor]
                if anchor in anchors:  # from one record to another: the second is the other family's
                    record = self._elsewhere(side).records.get(anchor, record)
                anchors.add(anchor)
                fixed |= {
                    column: record.values.get(target)
                    for column, target in zip(hops[0].columns, hops[0].target_columns, strict=True)
                }
        # Where one account cannot be all of them (from and to), the others are somebody else.
        others = (
            [fixed, {**fixed, **dict.fromkeys(people[1:], self._elsewhere(side).account)}]
            if people[1:]
            else [fixed]
        )
        row, why = None, ""
        for values in others:
            try:
                row = self.population.insert_living(belonging.table, values, alive, {}, side.rows)
                break
            except (CannotFill, SqlFailure) as failure:
                why = str(failure)
        if row is None:
            if side in self.world.sides[:2]:
                self.population.gap(belonging.table, why)
            return None
        return side.add(row) if keep else row

    def _elsewhere(self, side: Side) -> Side:
        return next((one for one in self.world.sides if one.account != side.account), side)

    def personal(self, title: str) -> bool:
        """Whether a table holds the records or the accounts themselves."""
        return title in self.model.anchors or self.population.is_mirror(title)

    def spare(self, side: Side) -> None:
        """Parents without children, for tables in which a row more would be a row twice."""
        for belonging in self._ordered():
            relation = self.snapshot.relations[belonging.table]
            keyed = {name for key in relation.foreign_keys for name in key.columns}
            linking = any(key.kind in "pu" and set(key.columns) <= keyed for key in relation.keys)
            if (
                not linking
                or belonging.table in self.model.anchors
                or self.population.is_mirror(belonging.table)
            ):
                continue
            for key in relation.foreign_keys:
                parent = self.model.tables.get(key.target)
                if (
                    parent is None
                    or key.target in self.model.anchors
                    or self.population.is_mirror(key.target)
                ):
                    continue
                if key.target not in {row.table for row in side.spares}:
                    row = self.place(side, parent, side.account, side.account, keep=False)
                    if row is not None:
                        side.spares.append(row)

    def neighbours(self) -> None:
        """For every constant that a policy compares a column with: a row that has it, and one without."""
        for (title, column), constants in sorted(self.model.constants.items()):
            side = self.world.sides[0]
            row = side.of(title)
            belonging = self.model.tables.get(title)
            if row is None or belonging is None or title in self.model.anchors or title in self.tables():
                continue
            others = [value for value in self.filler.candidates(title, column) if value not in constants]
            for value in [*constants[:VALUES_TRIED], *others[:2]]:
                if value != row.values.get(column):
                    try:
                        self.filler.variant(row, {column: value})
                    except (CannotFill, SqlFailure):
                        continue  # a value that the table itself refuses needs no row

    def vary(self, wanted: Iterable[Variant]) -> None:
        """A row more for every value that a condition was never seen with."""
        side = self.world.sides[0]
        for variant in wanted:
            row = side.of(variant.table)
            if row is None or self.personal(variant.table) or variant.table in self.tables():
                continue
            try:
                self.filler.variant(row, {variant.column: variant.value})
            except (CannotFill, SqlFailure):
                continue  # a value that the table itself refuses needs no row

    def _ordered(self) -> list[Belonging]:
        """Tables, parents before children as far as keys are no circle."""
        known = [b for b in self.model.tables.values() if b.table in self.snapshot.relations]
        known = [
            b
            for b in known
            if not self.snapshot.relations[b.table].partition and b.table != "storage.objects"
        ]
        titles = {belonging.table for belonging in known}
        done: list[Belonging] = []
        placed: set[str] = set()
        waiting = list(known)
        while waiting:
            free = [
                b
                for b in waiting
                if all(
                    key.target in placed or key.target == b.table or key.target not in titles
                    for key in self.snapshot.relations[b.table].foreign_keys
                )
            ] or waiting[:1]
            for belonging in free:
                done.append(belonging)
                placed.add(belonging.table)
                waiting.remove(belonging)
        return done

    def tables(self) -> set[str]:
        """Tables whose rows open something."""
        return {opening.table for opening in self.model.openings}

    def _takes(self, title: str, column: str) -> bool:
        return column in self.snapshot.relations[title].columns
