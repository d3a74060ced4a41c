"""Valid rows for any table: parents first, the rest by type, and CHECK constraints solved by PostgreSQL.

Rows go in with session_replication_role = replica: neither foreign keys nor the schema's triggers fire. Keys
are right by construction, and `verify` (verify.py) checks them all.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, LiteralString, cast

from psycopg import sql

from tools.sandbox.scratch.hints import names_in, read_hints
from tools.sandbox.scratch.keys import conflict_condition, promised
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.shapes import PARTITION_BOUNDS, ForeignKey, Shape
from tools.sandbox.scratch.solve import Condition, Problem, components, solve, sources_of
from tools.sandbox.scratch.values import DEFAULT, Candidate, Default, Place, samples
from tools.sandbox.scratch.verify import Violation, verify

Known = MutableMapping[str, str | None]
ATTEMPTS: Final = 12
DEPTH: Final = 24
TAKEN: Final = ("23505", "23P01")
_NOTHING: Final[Mapping[str, str | None]] = {}


class CannotFill(Exception):
    """No valid row can be made for `table`; `reason` is one sentence."""

    def __init__(self, table: str, reason: str) -> None:
        super().__init__(f"{table}: {reason}")
        self.table = table
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """One inserted row. `number` counts the table's rows; `values` are all columns as text literals."""

    table: str
    number: int
    values: Mapping[str, str | None] = field(hash=False)


@dataclass(slots=True)
class _Wish:
    """What is asked of one row: what is known, who is near, what is being made, what is preferred."""

    shape: Shape
    known: Known
    near: Sequence[Row]
    making: Mapping[str, tuple[Shape, Known]]
    preferred: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    open_keys: list[ForeignKey] = field(default_factory=list[ForeignKey])
    avoid: list[Condition] = field(default_factory=list[Condition])
    careful: bool = False
    fixed: frozenset[str] = frozenset()


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
        self.seed = str(seed)
        self.constants = constants or {}
        self.made: list[Row] = []
        self._numbers: dict[str, int] = {}
        self._solutions: dict[object, dict[str, int]] = {}
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
        wish = _Wish(shape, {}, (), {})
        pool = self._pool(wish, column, self._numbers.get(table, 0) + 1, self._conditions(wish))
        return tuple(dict.fromkeys(value for value in pool if not isinstance(value, Default)))

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
        wish = _Wish(shape, known, near, {**making, table: (shape, known)}, preferred, fixed=frozenset(known))
        self._parents(wish)
        failure: SqlFailure | None = None
        for _ in range(ATTEMPTS):
            number = self._numbers[table] = self._numbers.get(table, 0) + 1
            values = self._choose(wish, number)
            if values is None:
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

    def _parents(self, wish: _Wish) -> None:
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

    def _adopt(self, wish: _Wish, key: ForeignKey) -> None:
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

    def _may_be_null(self, wish: _Wish, key: ForeignKey) -> bool:
        return any(name not in wish.known and not wish.shape.by_name[name].not_null for name in key.columns)

    def _promise(self, wish: _Wish, key: ForeignKey) -> None:
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
                    self.session, column, Place(column, number, self._label(shape), fresh=True)
                )
            wish.known[here] = known[there]

    def _new_parent(self, wish: _Wish, key: ForeignKey) -> None:
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

    # Values --------------------------------------------------------------------------------------------

    def _label(self, shape: Shape) -> str:
        return f"{self.seed}/{shape.table}"

    def _free(self, wish: _Wish) -> list[str]:
        return [
            column.name
            for column in wish.shape.columns
            if not column.generated and column.name not in wish.known
        ]

    def _conditions(self, wish: _Wish) -> list[Condition]:
        """CHECK constraints and bounds; a generated column stands for the columns it is made of."""
        shape = wish.shape
        found = [Condition(check.expression, frozenset(check.columns)) for check in shape.checks]
        names = frozenset(column.name for column in shape.columns)
        if shape.bounds:
            text = " or ".join(f"({bound})" for bound in shape.bounds)
            found.append(Condition(text, names & names_in(text)))
        found += wish.avoid
        found += [
            Condition(f'"{column.name}" is not null', frozenset([column.name]))
            for column in shape.columns
            if column.generated and column.not_null
        ]
        return [_widened(shape, condition) for condition in found]

    def _choose(self, wish: _Wish, number: int) -> dict[str, Candidate] | None:
        """A value for every column, or None when the constraints cannot be met this way."""
        free = self._free(wish)
        conditions = self._conditions(wish)
        if wish.careful:
            conditions += [Condition("true", frozenset([name])) for name in free]
        values: dict[str, Candidate] = dict(wish.known)
        open_columns = {name for key in wish.open_keys for name in key.columns} - set(wish.known)
        pools = {name: self._pool(wish, name, number, conditions) for name in free}
        values |= {name: pool[0] for name, pool in pools.items()}
        for group in components(free, conditions):
            about = [condition for condition in conditions if condition.columns & set(group)]
            places = self._solved(wish, group, pools, about)
            if places is None:
                raise CannotFill(wish.shape.table, _unmet(wish.shape, about))
            values |= {name: pools[name][place] for name, place in places.items()}
        if wanted := [name for name in group_order(open_columns, values) if values[name] is not None]:
            return self._open(wish, wanted)
        return values

    def _open(self, wish: _Wish, wanted: Sequence[str]) -> None:
        """The conditions want a parent where NULL was preferred: make it, and choose again."""
        for key in list(wish.open_keys):
            if set(key.columns) & set(wanted):
                wish.open_keys.remove(key)
                if not all(name in wish.known for name in key.columns):
                    self._new_parent(wish, key)

    def _solved(
        self, wish: _Wish, group: Sequence[str], pools: Mapping[str, list[Candidate]], about: list[Condition]
    ) -> dict[str, int] | None:
        mentioned = set[str]().union(*(condition.columns for condition in about))
        known = {name: value for name, value in wish.known.items() if name in mentioned}
        keys = {name for key in wish.shape.foreign_keys for name in key.columns}
        told = frozenset((name, value if name not in keys else "") for name, value in known.items())
        memory = (wish.shape.table, tuple(group), told)
        plain = not (wish.avoid or wish.preferred or wish.careful)
        if plain and memory in self._solutions:
            return self._solutions[memory]
        found = solve(self.session, Problem(wish.shape, {name: pools[name] for name in group}, known, about))
        if plain and found is not None:
            self._solutions[memory] = found
        return found

    def _pool(self, wish: _Wish, name: str, number: int, conditions: Sequence[Condition]) -> list[Candidate]:
        """Candidates of one column, the preferred first; the list has the same meaning for every number."""
        shape = wish.shape
        column = shape.by_name[name]
        about = [condition for condition in conditions if name in condition.columns]
        hints = read_hints(condition.expression for condition in about)
        fresh = any(name in key.columns for key in shape.keys) or any(
            name in item.columns for item in shape.exclusions
        )
        found: list[Candidate] = []
        if name in wish.preferred:
            found.append(wish.preferred[name])
        random = column.name_of_type == "uuid" and "uuid" in (
            column.default or ""
        )  # the seed decides instead
        if (column.default is not None and not random and not _is_null(column.default)) or column.identity:
            found.append(DEFAULT)
        is_key = any(name in key.columns for key in wish.open_keys)
        empty_first = is_key or (column.is_time and not fresh)
        if not column.not_null and empty_first:
            found.append(None)
        if not fresh:
            found += self.constants.get((shape.table, name), ())
        place = Place(column, number, self._label(shape), fresh)
        found += samples(place, hints)
        others = [
            value
            for condition in about
            for other in sorted(condition.columns - {name})
            if (value := wish.known.get(other)) is not None
        ]
        if others and column.is_text:
            found += _around(list(dict.fromkeys(others)), place.label)
        if fresh:
            found += self.constants.get((shape.table, name), ())
        if not column.not_null:
            found.append(None)
        return list(dict.fromkeys(found))

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

    def _learn(self, wish: _Wish, failure: SqlFailure) -> None:
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


def group_order(names: set[str], values: Mapping[str, Candidate]) -> Iterator[str]:
    """Those of `names` that have a value, in the order of the columns."""
    return (name for name in values if name in names)


def _widened(shape: Shape, condition: Condition) -> Condition:
    made = [name for name in condition.columns if name in shape.by_name and shape.by_name[name].generated]
    if not made:
        return condition
    sources = set[str]().union(*(sources_of(shape, name) for name in made))
    return Condition(condition.expression, condition.columns | sources)


def _around(others: Sequence[str], label: str) -> list[str]:
    """Texts that contain another column's value where conditions on paths and composed codes look for it."""
    found: list[str] = []
    for value in others:
        found += [value, f"{value}/{label}", f"x/{value}/{label}", f"x/y/{value}/{label}", f"{label}/{value}"]
        found += [f"{value}-{label}", f"{value}:{label}", f"{value}_{label}", f"{value}.{label}"]
    if len(others) > 1:
        found += ["/".join([*others, label]), "/".join([*reversed(others), label])]
    return found


def _is_null(default: str) -> bool:
    return default.upper().partition("::")[0].strip("() ") == "NULL"


def _unmet(shape: Shape, about: Sequence[Condition]) -> str:
    texts = [
        check.name for check in shape.checks if any(check.expression == item.expression for item in about)
    ]
    named = ", ".join(dict.fromkeys(texts)) or PARTITION_BOUNDS
    return f"no values were found that meet {named}"


def _raw(text: str) -> sql.SQL:
    return sql.SQL(cast("LiteralString", text))


__all__ = ["CannotFill", "Filler", "Row"]
