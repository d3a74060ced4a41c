"""Rows that a world needs for the conditions of writes.

Old rows in the state that USING or a trigger asks for, parents in the state that WITH CHECK asks for, and
rows written by those who may write.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from tools.rls.proof.evidence import gather
from tools.rls.proof.furnishing import Furnishing
from tools.rls.proof.graph import Test
from tools.rls.proof.model import Belonging, Kind
from tools.rls.proof.side import FUTURE, LONG_PAST, PAST
from tools.rls.proof.standing import Standings
from tools.rls.proof.states import State
from tools.rls.proof.wants import Wants, unmet
from tools.rls.proof.wishes import Wishes, asked
from tools.rls.proof.world import WorldRow
from tools.sandbox.scratch.fill import CannotFill, Row
from tools.sandbox.scratch.session import SqlFailure

STATES: Final = 6
"""States of one table's rows that are added."""


class Demanded:
    """Adds to a furnished world whose rows were read."""

    def __init__(self, furnishing: Furnishing, wishes: Wishes) -> None:
        self.furnishing = furnishing
        self.wishes = wishes
        self.population = furnishing.population
        self.world = furnishing.world
        self.model = furnishing.model
        self.wants = Wants(self.population.snapshot)
        self.standings = Standings(self.world)

    def add(self) -> None:
        """Rows of the first family."""
        for title, belonging in self.model.tables.items():
            relation = self.population.snapshot.relations.get(title)
            if relation is None or title not in self.world.rows or belonging.kind is not Kind.SCOPED:
                continue
            states: dict[tuple[str, tuple[Test, ...]], None] = {}
            for command in ("INSERT", "UPDATE", "DELETE"):
                for want in self.wants.of(relation, command):
                    states |= dict.fromkeys((parent.table, parent.tests) for parent in want.parents)
                    states |= dict.fromkeys((title, tests) for tests in _apart(want.before))
            for table, tests in list(states)[:STATES]:
                self._state(table, tests)
            if self._written_by_others(belonging):
                self._by_writers(belonging)
        for title, wanted in self.wishes.states.items():
            relation = self.population.snapshot.relations.get(title)
            for state in wanted if title in self.world.rows else ():
                if relation is not None and state.column in relation.columns:  # a file's path is none
                    self._in_state(title, state)
        if self.wishes:
            self._second_records()
            self._for_calls()

    def _state(self, title: str, tests: tuple[Test, ...]) -> None:
        """A row of the first family that passes the tests, where it has none."""
        side = self.world.sides[0]
        row = side.of(title)
        if row is None or title in self.furnishing.tables() or self.furnishing.personal(title):
            return
        mine = self.standings.scopes(WorldRow(title, "", row.values))
        rows = [one for one in self.world.rows.get(title, ()) if self.standings.scopes(one) == mine]
        if any(not unmet(tests, dict(one.values)) for one in rows):
            return
        missing = unmet(tests, dict(row.values))
        changes = {test.ref.column: _value(test) for test in reversed(tests) if test.ref.column in missing}
        try:
            self.population.filler.variant(row, changes)
        except (CannotFill, SqlFailure):
            return  # a state that the table itself refuses needs no row

    def _in_state(self, title: str, state: State) -> None:
        """A row of the first family in a state that expectations tell apart, where it has none."""
        side = self.world.sides[0]
        row = side.records.get(title) or side.of(title)
        if row is None or title == self.model.accounts or self.population.is_mirror(title):
            return
        mine = self.standings.scopes(WorldRow(title, "", row.values))
        if any(
            state.holds(one.values) and self.standings.scopes(one) & mine for one in self.world.rows[title]
        ):
            return
        relation = self.population.snapshot.relations[title]
        single = {name for key in relation.keys if key.kind == "u" for name in key.columns}
        free = {name: None for name in single if not relation.columns[name].required}
        for more in ({}, free) if free else ({},):  # one account has one record: another is nobody's
            with suppress(CannotFill, SqlFailure):
                self.population.filler.variant(row, {**more, state.column: state.sample})
                return

    def _second_records(self) -> None:
        """One more record of every kind for the first family's owner: rows may be moved between his own."""
        for title, row in self.world.sides[0].records.items():
            anchor = self.model.anchors[title]
            if any(not way.hops for way in anchor.owners) and title in self.world.rows:
                with suppress(CannotFill, SqlFailure):  # one account has one record
                    self.population.filler.variant(row, {})

    def _for_calls(self) -> None:
        """Rows as functions ask for them, and the same below the records that were added for that."""
        side, filler = self.world.sides[0], self.population.filler
        records: dict[str, list[Row]] = {}
        wanted = asked(gather(self.population.snapshot))
        for title in sorted(wanted, key=lambda one: one not in self.model.anchors):
            row = side.records.get(title) or side.of(title)
            belonging = self.model.tables.get(title)
            if row is None or belonging is None or title in self.furnishing.tables():
                continue
            if title == self.model.accounts or self.population.is_mirror(title):
                continue
            above: list[dict[str, str | None]] = [{}]
            for hops in belonging.paths:
                if len(hops) == 1:
                    above += [
                        {
                            c: one.values.get(t)
                            for c, t in zip(hops[0].columns, hops[0].target_columns, strict=True)
                        }
                        for one in records.get(hops[0].target, ())
                    ]
            for tests in wanted[title][:STATES]:
                for parent in above[:3]:
                    changes = {test.ref.column: _value(test) for test in reversed(tests)} | parent
                    with suppress(CannotFill, SqlFailure):
                        records.setdefault(title, []).append(filler.variant(row, changes))

    # -- authors -------------------------------------------------------------------------

    def _written_by_others(self, belonging: Belonging) -> bool:
        """Whether some policy asks both who wrote a row and what else its author may do."""
        authors = {way.column for way in belonging.authors if not way.hops}
        relation = self.population.snapshot.relations[belonging.table]
        for policy in relation.policies if authors else ():
            for way in self.wants.flow.ways(policy) if policy.permissive else ():
                asking = [part for part in way.parts if any(frame.asks for frame in part.closure())]
                named = {ref.column for part in asking for ref, _ in part.asks if ref.row == way.row}
                if way.part == "using" and len(asking) > 1 and named & authors:
                    return True
        return False

    def _by_writers(self, belonging: Belonging) -> None:
        """A row by everybody whose living opening allows most of its kind."""
        side = self.world.sides[0]
        if belonging.table in self.furnishing.tables() or self.furnishing.personal(belonging.table):
            return
        known: set[str] = set()
        for account, spec in self._writers():
            if spec not in known:
                known.add(spec)
                self.furnishing.place(side, belonging, account, side.account, keep=False)

    def _writers(self) -> Iterator[tuple[str, str]]:
        """Accounts whose opening is alive and allows writing, with its name."""
        writing = {
            (opening.name, rank.value)
            for opening in self.model.openings
            for rank in opening.ranks
            if "write" in rank.rights
        }
        plain = {opening.name for opening in self.model.openings if not opening.ranks}
        for account, spec in self.world.holders.items():
            if (
                spec.live
                and not spec.changes
                and (spec.opening in plain or (spec.opening, spec.rank) in writing)
            ):
                yield account, spec.opening


def _apart(tests: tuple[Test, ...]) -> Iterator[tuple[Test, ...]]:
    """All tests at once, and every constant by itself: states that a trigger leads from one to another."""
    if tests:
        yield tests
    several = [test for test in tests if test.kind == "equal"]
    yield from ((test,) for test in several)


def _value(test: Test) -> str | None:
    match test.kind:
        case "equal":
            return test.value
        case "future":
            return FUTURE
        case "past":
            return LONG_PAST  # also where a time long ago is asked for: who is of age
        case "not_null":
            return PAST
        case "true" | "false":
            return test.kind
        case _:
            return None
