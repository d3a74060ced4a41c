"""Values for a column of which something is wanted: constants, keys of the caller, what its row leads to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Final

from tools.rls.objects import Column, Relation
from tools.rls.proof.actors import Actor, quoted
from tools.rls.proof.graph import Test
from tools.rls.proof.side import FUTURE, PAST, Side
from tools.rls.proof.standing import Standings
from tools.rls.proof.templates import Templates
from tools.rls.proof.wants import Linked, Own, Want, meets, unmet
from tools.rls.proof.world import World, WorldRow, named
from tools.rls.proof.writing import Write, where_key
from tools.sandbox.scratch.fill import CannotFill, Row
from tools.sandbox.scratch.session import SqlFailure

OTHERS: Final = 3
"""Other values of a column that may be anything but one."""
TEXTS: Final = ("text", "character varying", "citext")
PARTS: Final = 3
"""Parts of a path that are tried in every order."""


@dataclass(eq=False)
class Fitting:
    """Finds values in one world."""

    world: World
    standings: Standings
    templates: Templates
    _completed: dict[tuple[object, ...], dict[str, str | None]] = field(
        default_factory=dict[tuple[object, ...], dict[str, str | None]]
    )

    def most(self, relation: Relation, want: Want, column: str) -> int:
        """How many values a column might take at most."""
        tests = [test for test in (*want.tests, *want.perhaps) if test.ref.column == column]
        others = sum(OTHERS if test.kind in ("unequal", "not_null") else 1 for test in tests)
        linked = sum(1 for one in want.linked if one.column == column)
        several = 8 * linked if relation.columns[column].type in TEXTS else linked
        return 1 + others + several + 2 * sum(1 for one in want.own if one.column == column)

    # -- tests ---------------------------------------------------------------------------

    def tested(self, relation: Relation, want: Want, column: str, row: WorldRow) -> list[str | None]:
        """Values that pass a test of the column: the present one first, where it does."""
        tests = [test for test in want.tests if test.ref.column == column]
        perhaps = [test for test in want.perhaps if test.ref.column == column]
        now = row.values.get(column)
        known = relation.columns.get(column)
        if known is None:
            return []
        found: dict[str | None, None] = {now: None} if any(meets(test, now) for test in tests) else {}
        for test in (*tests, *perhaps):
            found |= dict.fromkeys(self._passing(relation, known, test, now))
        return [value for value in found if value is not None or not known.required]

    def _passing(
        self, relation: Relation, column: Column, test: Test, now: str | None
    ) -> Iterator[str | None]:
        match test.kind:
            case "equal":
                yield test.value
            case "null":
                yield None
            case "future":
                yield FUTURE
            case "past":
                yield PAST
            case "true" | "false":
                yield from (test.kind,) if column.type == "boolean" else ()
            case _:
                values = column.values or self._any(relation, column)
                others = [value for value in values if value is not None and meets(test, value)]
                yield from others[:OTHERS]

    def _any(self, relation: Relation, column: Column) -> tuple[str | None, ...]:
        """Values of any kind: of a key those of the rows that it leads to."""
        for key in relation.foreign_keys:
            if key.columns == (column.name,):
                rows = self.world.rows.get(key.target, ())
                return tuple(row.values.get(key.target_columns[0]) for row in rows[:OTHERS])
        if column.type.startswith(("timestamp", "date")):
            return (PAST,)
        try:
            return self.templates.filler.candidates(relation.title, column.name)
        except (CannotFill, SqlFailure):
            return ()

    # -- the caller and the rest of the row ------------------------------------------------

    def personal(
        self, relation: Relation, want: Want, column: str, row: WorldRow, actor: Actor, side: Side
    ) -> list[str | None]:
        """Values that depend on the actor and on what else stands in the row."""
        found: dict[str | None, None] = {}
        for name, identity in want.asked:
            if name == column:
                found[self.standings.identity(actor, identity)] = None
        for one in want.own:
            if one.column == column:
                found |= dict.fromkeys(self._own(one, actor, side))
        leads = dict.fromkeys(
            target.values.get(one.there)
            for one in want.linked
            if one.column == column
            for target in self._led(one, row)
        )
        if leads and relation.columns[column].type in TEXTS:
            found = dict.fromkeys(self._paths([value for value in (*leads, *found) if value]))
        return [value for value in {**found, **leads} if value is not None]

    def _led(self, linked: Linked, row: WorldRow) -> list[WorldRow]:
        if not linked.pairs:
            return [row]
        here, there = [a for a, _ in linked.pairs], tuple(b for _, b in linked.pairs)
        return self.world.find(linked.table, there, row.key(here))[:1]

    def _own(self, own: Own, actor: Actor, side: Side) -> list[str | None]:
        """Keys of rows that lead to the actor, those in this family's records first."""
        value = self.standings.identity(actor, own.identity)
        tables = [own.table, *(table for _, table in own.steps)]
        rows = self.world.find(tables[-1], (own.named,), (value,)) if value else []
        for number in range(len(own.steps) - 1, -1, -1):
            pairs = own.steps[number][0]
            here, there = tuple(a for a, _ in pairs), [b for _, b in pairs]
            rows = [one for row in rows for one in self.world.find(tables[number], here, row.key(there))]
        mine = self._records(side)
        rows = sorted(
            rows,
            key=lambda row: (not self.standings.scopes(row) & mine, len(unmet(own.tests, dict(row.values)))),
        )
        return list(dict.fromkeys(row.values.get(own.there) for row in rows))[:2]

    def _records(self, side: Side) -> frozenset[tuple[str, str]]:
        anchors = self.world.model.anchors
        return frozenset(
            (table, record.values.get(anchors[table].key) or "") for table, record in side.records.items()
        )

    def _paths(self, values: Sequence[str]) -> Iterator[str]:
        """A text that is held against several keys is made of them: a path, in every order."""
        for size in range(min(len(values), PARTS), 0, -1):
            for parts in permutations(values[:PARTS], size):
                yield "/".join((*parts, "new.pdf"))
                yield "/".join(parts)

    # -- parents -------------------------------------------------------------------------

    def parents(self, want: Want, row: WorldRow, side: Side) -> dict[str, str | None]:
        """Keys to rows of this family that pass their tests, where the row leads to one that does not."""
        relation = self.world.snapshot.relations[row.table]
        found: dict[str, str | None] = {}
        mine = self._records(side)
        for parent in want.parents:
            named_by = {here for here, _ in parent.pairs}
            key = next(
                (k for k in relation.foreign_keys if k.target == parent.table and named_by & set(k.columns)),
                None,
            )
            if key is None or parent.table in self.world.model.anchors:
                continue
            present = self.world.find(parent.table, key.target_columns, row.key(key.columns))
            if any(not unmet(parent.tests, dict(one.values)) for one in present):
                continue
            fit = [
                one
                for one in self.world.rows.get(parent.table, ())
                if not unmet(parent.tests, dict(one.values)) and self.standings.scopes(one) & mine
            ]
            for one in fit[:1]:
                found |= {
                    here: one.values.get(there)
                    for here, there in zip(key.columns, key.target_columns, strict=True)
                }
        return found

    # -- old rows ------------------------------------------------------------------------

    def completed(
        self, relation: Relation, row: WorldRow, changes: Mapping[str, str | None]
    ) -> dict[str, str | None]:
        """The changes with what CHECK constraints want of other columns beside them."""
        known = (row.table, row.id, tuple(sorted(changes.items())))
        if known not in self._completed:
            keyed = {name for key in relation.keys for name in key.columns}
            found = dict(changes)
            try:
                with self.templates.session.savepoint(keep=False):
                    made = self.templates.filler.variant(Row(row.table, 0, row.values), changes)
            except (CannotFill, SqlFailure):
                made = None  # the table itself refuses them: whoever tries is told so
            for name, value in made.values.items() if made is not None else ():
                if name not in keyed and row.values.get(name) != value:
                    found.setdefault(name, value)
            self._completed[known] = found
        return self._completed[known]

    def touch(self, relation: Relation, row: WorldRow, actor: Actor) -> Iterator[Write]:
        """An UPDATE that changes nothing."""
        snapshot = self.world.snapshot
        role = snapshot.roles[actor.role]
        skipped = self.templates.shapes_generated.get(relation.title, frozenset())
        for name in (one for one in relation.columns if one not in skipped):
            if snapshot.may_column(role, relation, name, "UPDATE") and snapshot.may_column(
                role, relation, name, "SELECT"
            ):
                at = where_key(relation, row)
                sql = f"update {named(row.table)} set {quoted(name)} = {quoted(name)} where {at}"
                yield Write("touch", "UPDATE", row.table, sql, row, row)
                return
