"""What got through, tried again with one thing changed: a column that decides something, another state.

Each standing tries it once or twice per table, so that expectations can say which column is for whom.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tools.rls.proof.actors import Actor
from tools.rls.proof.probing import Outcome
from tools.rls.proof.side import FUTURE, PAST
from tools.rls.proof.states import State
from tools.rls.proof.storage import OBJECTS
from tools.rls.proof.tactics import Tactics
from tools.rls.proof.wishes import Wishes
from tools.rls.proof.world import WorldRow
from tools.rls.proof.writing import Write, insert_statement, update
from tools.sandbox.scratch.fill import CannotFill

VALUES: Final = 3
"""How many values of one column are tried."""
SAMPLES: Final = 2
"""And where any value at all is asked for."""
TIMES: Final = ("timestamp", "date")
NOTHING: Final[tuple[str, ...]] = ()


@dataclass(eq=False)
class Varying:
    """Makes further writes of those that got through. `permitted` is not changed meanwhile."""

    tactics: Tactics
    wishes: Wishes
    permitted: Mapping[Actor, Sequence[Outcome]]
    writes: Mapping[str, Write]

    def tried(self) -> Iterator[tuple[Actor, list[Write]]]:
        """By actor: what he tries now."""
        known: set[tuple[object, ...]] = set()
        actors = self.tactics.world.actors
        for actor in sorted(actors, key=lambda one: one.name != "owner of a"):  # who has more than one record
            found: list[Write] = []
            for outcome in self.permitted.get(actor, ()):
                write = self.writes[outcome.attempt.statement]
                row = write.after if write.command == "INSERT" else write.before
                if row is None or write.table == OBJECTS or write.purpose in ("mix", "upsert", "vary"):
                    continue
                word = self.tactics.standings.standing(actor, row).word
                states = self.wishes.states.get(write.table, ())
                mark = (write.table, write.command, word, tuple(state.holds(row.values) for state in states))
                if mark not in known:
                    known.add(mark)
                    found += self._of(actor, write, row, states)
            yield actor, list({write.sql: write for write in found}.values())

    def _of(self, actor: Actor, write: Write, row: WorldRow, states: Sequence[State]) -> Iterator[Write]:
        match write.command:
            case "INSERT":
                yield from self._inserts(actor, row, states)
            case "UPDATE":
                for name in self.wishes.columns.get(write.table, NOTHING):
                    for one in (row, *self._otherwise(actor, row, name, states)):
                        for value in self._values(actor, one, name):
                            yield from update(self.tactics.world, actor, one, {name: value}, "vary")
            case _:
                return

    def _otherwise(
        self, actor: Actor, row: WorldRow, name: str, states: Sequence[State]
    ) -> Iterator[WorldRow]:
        """One row of the same record for each other state of this column, and whatever the actor is to it:
        a change may suit those alone.
        """
        standings = self.tactics.standings
        told = [state for state in states if state.column == name]
        known: set[tuple[object, ...]] = set()
        for one in (row, *self.tactics.world.rows[row.table]) if told else ():
            mark = (standings.standing(actor, one).word, *(state.holds(one.values) for state in told))
            if mark not in known and standings.scopes(one) & standings.scopes(row):
                known.add(mark)
                if one is not row:
                    yield one

    def _inserts(self, actor: Actor, row: WorldRow, states: Sequence[State]) -> Iterator[Write]:
        world = self.tactics.world
        for state in states:
            for value in () if state.holds(row.values) else self._samples(actor, row, state):
                values = {**row.values, state.column: value}
                made = self.tactics.templates.shapes_generated
                sql = insert_statement(world, world.snapshot.relations[row.table], actor, values, made)
                if sql and state.column in sql:
                    yield Write(
                        "vary", "INSERT", row.table, sql, None, WorldRow(row.table, "", values), living=False
                    )

    def _samples(self, actor: Actor, row: WorldRow, state: State) -> Sequence[str | None]:
        """Values that put a column into a state: anything at all need not be a time."""
        column = self.tactics.world.snapshot.relations[row.table].columns.get(state.column)
        if state.kind != "set" or column is None or column.type.startswith(TIMES):
            return [state.sample]
        return [value for value in self._values(actor, row, state.column) if value is not None][:SAMPLES]

    def _values(self, actor: Actor, row: WorldRow, name: str) -> list[str | None]:
        """Other values of a column: rows of the own records first, then of others, then plain ones."""
        world, now = self.tactics.world, row.values.get(name)
        relation = world.snapshot.relations[row.table]
        column = relation.columns.get(name)
        if column is None:
            return []
        found: list[str | None] = []
        for key in relation.foreign_keys:
            if name in key.columns:
                target = key.target_columns[key.columns.index(name)]
                found += [actor.account] if actor.account and key.target == world.model.accounts else []
                rows = list(world.rows.get(key.target, ()))
                own = [one for one in rows if self.tactics.own(actor, one)]
                own.sort(key=lambda one: self.tactics.standings.standing(actor, one).closed)
                found += [one.values.get(target) for one in (*own[:2], *rows[:2])]
        if not found:
            found += [state.sample for state in self.wishes.states.get(row.table, ()) if state.column == name]
            if column.type.startswith(TIMES):
                found += [FUTURE, PAST]
            if column.type == "boolean":
                found += ["true", "false"]
            try:
                found += self.tactics.templates.filler.candidates(row.table, name)[:VALUES]
            except CannotFill:
                found += []
            found += [] if column.required else [None]
        else:
            found += [actor.account] if name in self._people(row.table) and actor.account else []
        others = [value for value in dict.fromkeys(found) if value != now]
        return others[: VALUES if column.type != "text" or not column.values else len(column.values)]

    def _people(self, title: str) -> set[str]:
        belonging = self.tactics.world.model.tables[title]
        return {way.column for way in (*belonging.parties, *belonging.authors)}
