"""Valid rows for any table: parents first, the rest by type, and CHECK constraints solved by PostgreSQL.

Rows go in with session_replication_role = replica: neither foreign keys nor the schema's triggers fire. Keys
are right by construction, and `verify` (verify.py) checks them all.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, LiteralString, cast

from psycopg import sql

from tools.sandbox.scratch.choose import Chooser
from tools.sandbox.scratch.hints import Hints
from tools.sandbox.scratch.keys import conflict_condition, promised
from tools.sandbox.scratch.row import CannotFill, Known, Row, Wish
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.shapes import Column, ForeignKey, Shape
from tools.sandbox.scratch.values import Candidate, Default, Place, samples
from tools.sandbox.scratch.verify import Violation, verify

ATTEMPTS: Final = 12
DEPTH: Final = 24
TAKEN: Final = ("23505", "23P01")
_NOTHING: Final[Mapping[str, str | None]] = {}


class Filler:
    """Makes rows through one session. `constants` are values that policies compare a column with, by
    (table, column). `made` lists every row in the order of insertion, parents before children.
    """

    def __init__(
        self,
        session: ScratchSession,
        shapes: Mapping[str, Shape],
        seed: int | str = 1,
        constants: Mapping[tuple[str, str], tuple[str, ...]] | None = None,
    ) -> None:
        self.session = session
        self.shapes = shapes
        self.made: list[Row] = []
        self._numbers: dict[str, int] = {}
        self._seed = str(seed)
        self._chooser = Chooser(session, self._seed, constants or {})
        self._filling = 0

    def insert(self, table: str, fixed: Mapping[str, str | None] = _NOTHING, near: Sequence[Row] = ()) -> Row:
        """One valid row with the `fixed` values, whose parents come from `near` where it holds any.

        Raises CannotFill, with everything of this call undone.
        """
        with self.filling(), self._undone_on_failure():
            return self._insert(table, dict(fixed), near, {})

    def variant(self, row: Row, changes: Mapping[str, str | None]) -> Row:
        """A further row like `row` with the same parents, new keys and the changes. Other columns keep their
        values where the CHECK constraints still hold. Raises CannotFill."""
        shape = self._shape(row.table)
        moved = [key for key in shape.foreign_keys if set(key.columns) & set(changes)]
        kept = {name for key in shape.foreign_keys if key not in moved for name in key.columns}
        known: dict[str, str | None] = {name: row.values[name] for name in kept} | dict(changes)
        loose = {name for key in moved for name in key.columns}
        unique = {name for key in shape.keys for name in key.columns}
        preferred = {
            column.name: row.values[column.name]
            for column in shape.columns
            if not (column.generated or column.identity) and column.name not in unique | loose
        }
        with self.filling(), self._undone_on_failure():
            return self._insert(row.table, known, (), {}, preferred)

    def candidates(self, table: str, column: str) -> tuple[str | None, ...]:
        """Values to try in a column, the plainest first; not all need meet every constraint."""
        shape = self._shape(table)
        if column not in shape.by_name:
            raise CannotFill(table, f"it has no column {column}")
        wish = Wish(shape, {}, (), {})
        number = self._numbers.get(table, 0) + 1
        pool = self._chooser.pool(wish, column, number, self._chooser.conditions(wish))
        return tuple(dict.fromkeys(value for value in pool if not isinstance(value, Default)))

    def fresh(self, type_name: str = "uuid") -> str:
        """A value of a plain type (its pg_type name) that no row has been given yet."""
        number = self._numbers[""] = self._numbers.get("", 0) + 1
        column = Column("fresh", type_name, type_name, type_name, "b", not_null=True)
        return samples(Place(column, number, self._seed, fresh=True), Hints())[0]

    def verify(self, tables: Sequence[str] = ()) -> list[Violation]:
        """Foreign keys that do not hold, in all tables or in those named."""
        return verify(self.session, self.shapes, tables)

    @contextmanager
    def filling(self) -> Generator[None]:
        """Triggers off for a series of inserts; each insert does it by itself, too."""
        self._filling += 1
        if self._filling == 1:
            self.session.script("SET LOCAL session_replication_role = replica")
        try:
            yield
        finally:
            self._filling -= 1
            if not self._filling and self.session.usable:
                self.session.script("SET LOCAL session_replication_role = origin")

    @contextmanager
    def _undone_on_failure(self) -> Generator[None]:
        before = len(self.made)
        try:
            with self.session.savepoint():
                yield
        except (CannotFill, SqlFailure):
            del self.made[before:]
            raise

    def _shape(self, table: str) -> Shape:
        shape = self.shapes.get(table)
        if shape is None:
            raise CannotFill(table, "there is no such table")
        if shape.kind == "f":
            raise CannotFill(table, "it is a foreign table")
        if shape.kind == "p" and not shape.partitions:
            raise CannotFill(table, "it is partitioned and has no partition")
        return shape

    def _insert(
        self,
        table: str,
        known: Known,
        near: Sequence[Row],
        making: Mapping[str, tuple[Shape, Known]],
        preferred: Mapping[str, str | None] = _NOTHING,
    ) -> Row:
        shape = self._shape(table)
        if unknown := [name for name in known if name not in shape.by_name]:
            raise CannotFill(table, f"it has no column {unknown[0]}")
        if len(making) > DEPTH:
            raise CannotFill(table, "its chain of required parents does not end")
        wish = Wish(shape, known, near, {**making, table: (shape, known)}, preferred, fixed=frozenset(known))
        self._parents(wish)
        failure: SqlFailure | None = None
        for _ in range(ATTEMPTS):
            number = self._numbers[table] = self._numbers.get(table, 0) + 1
            values = self._chooser.choose(wish, number)
            if self._opened(wish, values):
                continue
            try:
                row = self._write(shape, number, values)
            except SqlFailure as error:
                failure = error
                self._learn(wish, error)
                continue
            self.made.append(row)
            return row
        raise CannotFill(table, self._reason(failure))

    # Parents -------------------------------------------------------------------------------------------

    def _parents(self, wish: Wish) -> None:
        """Fill the foreign key columns: from near rows, from rows being made, from new parents."""
        waiting = sorted(wish.shape.foreign_keys, key=lambda key: -len(key.columns))
        for key in waiting:
            self._adopt(wish, key)
        for key in waiting:
            if all(name in wish.known for name in key.columns):
                continue
            if any(wish.known.get(name, "") is None for name in key.columns):
                continue  # one NULL satisfies the key (MATCH SIMPLE)
            if self._may_be_null(wish, key):
                wish.open_keys.append(key)
            else:
                self._new_parent(wish, key)

    def _adopt(self, wish: Wish, key: ForeignKey) -> None:
        """Take the last near row, or a row that is being made, that agrees with what is known."""
        if all(name in wish.known for name in key.columns):
            return
        pairs = list(zip(key.columns, key.target_columns, strict=True))
        if key.target in wish.making and key.target != wish.shape.table and not self._may_be_null(wish, key):
            self._promise(wish, key)
            return
        for row in reversed(wish.near):
            if row.table == key.target and all(
                row.values.get(there) is not None
                and wish.known.get(here, row.values[there]) == row.values[there]
                for here, there in pairs
            ):
                wish.known.update({here: row.values[there] for here, there in pairs})
                return

    def _may_be_null(self, wish: Wish, key: ForeignKey) -> bool:
        return any(name not in wish.known and not wish.shape.by_name[name].not_null for name in key.columns)

    def _promise(self, wish: Wish, key: ForeignKey) -> None:
        """Point to a row that is being made (or to this one itself), whose key is chosen now."""
        shape, known = wish.making[key.target]
        for here, there in zip(key.columns, key.target_columns, strict=True):
            if here in wish.known:
                known.setdefault(there, wish.known[here])
                continue
            if there not in known:
                column = shape.by_name[there]
                if column.generated:
                    raise CannotFill(
                        wish.shape.table, f"its key {key.name} needs a generated column in a circle"
                    )
                number = self._numbers.get(key.target, 0) + 1
                known[there] = promised(
                    self.session, column, Place(column, number, self._chooser.label(shape), fresh=True)
                )
            wish.known[here] = known[there]

    def _new_parent(self, wish: Wish, key: ForeignKey) -> None:
        if key.target in wish.making:
            self._promise(wish, key)
            return
        pairs = list(zip(key.columns, key.target_columns, strict=True))
        implied = {there: wish.known[here] for here, there in pairs if here in wish.known}
        try:
            values = self._insert(key.target, dict(implied), wish.near, wish.making).values
        except CannotFill as error:
            values = self._existing(key, implied)
            if values is None:
                reason = error.reason if error.table == wish.shape.table else str(error)
                raise CannotFill(wish.shape.table, f"its parent cannot be filled ({reason})") from None
        wish.known.update({here: values[there] for here, there in pairs})

    def _existing(
        self, key: ForeignKey, implied: Mapping[str, str | None]
    ) -> Mapping[str, str | None] | None:
        """Any row that the key may point to, where no further one can be made (an exhausted lookup table)."""
        shape = self.shapes.get(key.target)
        if shape is None:
            return None
        columns = [sql.SQL("{}::text").format(sql.Identifier(name)) for name in key.target_columns]
        tests = [
            sql.SQL("{}::text = {}").format(sql.Identifier(name), sql.Literal(value))
            for name, value in implied.items()
        ]
        tests += [sql.SQL("{} is not null").format(sql.Identifier(name)) for name in key.target_columns]
        found = self.session.rows(
            sql.SQL("select {} from {} where {} limit 1").format(
                sql.SQL(", ").join(columns), _raw(shape.sql_name), sql.SQL(" and ").join(tests)
            )
        )
        return dict(zip(key.target_columns, found[0], strict=True)) if found else None

    def _opened(self, wish: Wish, values: Mapping[str, Candidate]) -> bool:
        """Where the constraints want a parent and NULL was preferred: make it. True: choose again."""
        wanted = [
            key
            for key in wish.open_keys
            if any(name not in wish.known and values[name] is not None for name in key.columns)
        ]
        for key in wanted:
            wish.open_keys.remove(key)
            if not all(name in wish.known for name in key.columns):
                self._new_parent(wish, key)
        return bool(wanted)

    # Writing -------------------------------------------------------------------------------------------

    def _write(self, shape: Shape, number: int, values: Mapping[str, Candidate]) -> Row:
        given = {name: value for name, value in values.items() if not isinstance(value, Default)}
        columns = sql.SQL(", ").join(map(sql.Identifier, given))
        literals = sql.SQL(", ").join(
            sql.SQL("{}::{}").format(sql.Literal(value), _raw(shape.by_name[name].type))
            for name, value in given.items()
        )
        returned = sql.SQL(", ").join(
            sql.SQL("{}::text").format(sql.Identifier(column.name)) for column in shape.columns
        )
        body = (
            sql.SQL("({}) overriding system value values ({})").format(columns, literals)
            if given
            else sql.SQL("default values")
        )
        statement = sql.SQL("insert into {} {}").format(_raw(shape.sql_name), body)
        if shape.columns:
            statement += sql.SQL(" returning ") + returned
        rows = self.session.attempt(statement)
        if not shape.columns:
            return Row(shape.table, number, {})
        if not rows:
            raise SqlFailure("", "a trigger that always fires or a rule kept the row out")
        return Row(
            shape.table, number, dict(zip((column.name for column in shape.columns), rows[0], strict=True))
        )

    def _learn(self, wish: Wish, failure: SqlFailure) -> None:
        """Make the next attempt differ; CannotFill where no other values are left."""
        table = wish.shape.table
        if failure.sqlstate in TAKEN:
            shape = self.shapes.get(failure.table, wish.shape)
            condition = conflict_condition(shape, wish.shape, failure.constraint)
            if condition is None:
                return
            if condition.columns <= set(wish.known):
                names = ", ".join(sorted(condition.columns))
                raise CannotFill(
                    table, f"another row already holds these values of {names} ({failure.constraint})"
                )
            if condition.expression and condition not in wish.avoid:
                wish.avoid.append(condition)
            return
        if failure.sqlstate.startswith("22") and not wish.careful:
            wish.careful = True
            return
        if failure.sqlstate == "23514" and not wish.careful:
            wish.careful = True  # a remembered solution does not fit these values
            return
        raise CannotFill(table, self._reason(failure))

    def _reason(self, failure: SqlFailure | None) -> str:
        if failure is None:
            return "no values were found that meet its constraints"
        return f"PostgreSQL refused the row: {failure.message} ({failure.sqlstate})"


def _raw(text: str) -> sql.SQL:
    return sql.SQL(cast("LiteralString", text))


__all__ = ["CannotFill", "Filler", "Row"]
