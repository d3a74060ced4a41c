"""Which values the columns of one row get: what is preferred, as far as the constraints allow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.sandbox.scratch.hints import names_in, read_hints
from tools.sandbox.scratch.row import CannotFill, Wish
from tools.sandbox.scratch.session import ScratchSession
from tools.sandbox.scratch.shapes import PARTITION_BOUNDS, Column, Shape
from tools.sandbox.scratch.solve import Condition, Problem, components, solve, sources_of
from tools.sandbox.scratch.values import DEFAULT, Candidate, Place, samples


class Chooser:
    """Chooses values and remembers how each table's constraints were met."""

    def __init__(
        self, session: ScratchSession, seed: str, constants: Mapping[tuple[str, str], tuple[str, ...]]
    ) -> None:
        self.session = session
        self.seed = seed
        self.constants = constants
        self._solutions: dict[object, dict[str, int]] = {}

    def label(self, shape: Shape) -> str:
        return f"{self.seed}/{shape.table}"

    def _free(self, wish: Wish) -> list[str]:
        return [
            column.name
            for column in wish.shape.columns
            if not column.generated and column.name not in wish.known
        ]

    def conditions(self, wish: Wish) -> list[Condition]:
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

    def choose(self, wish: Wish, number: int) -> dict[str, Candidate]:
        """A value for every column. A foreign key of `open_keys` that gets one needs a parent instead.

        Raises CannotFill where no values in the bound meet the constraints.
        """
        free = self._free(wish)
        conditions = self.conditions(wish)
        if wish.careful:
            conditions += [Condition("true", frozenset([name])) for name in free]
        values: dict[str, Candidate] = dict(wish.known)
        pools = {name: self.pool(wish, name, number, conditions) for name in free}
        values |= {name: pool[0] for name, pool in pools.items()}
        for group in components(free, conditions):
            about = [condition for condition in conditions if condition.columns & set(group)]
            places = self._solved(wish, group, pools, about)
            if places is None:
                raise CannotFill(wish.shape.table, _unmet(wish.shape, about))
            values |= {name: pools[name][place] for name, place in places.items()}
        return values

    def _solved(
        self, wish: Wish, group: Sequence[str], pools: Mapping[str, list[Candidate]], about: list[Condition]
    ) -> dict[str, int] | None:
        mentioned = set[str]().union(*(condition.columns for condition in about))
        known = {name: value for name, value in wish.known.items() if name in mentioned}
        keys = {name for key in wish.shape.foreign_keys for name in key.columns}
        told = frozenset((name, value if name not in keys else "") for name, value in known.items())
        memory = (wish.shape.table, tuple(group), told)
        plain = not (wish.avoid or wish.preferred or wish.careful)
        known_before = self._solutions.get(memory) if plain else None
        if known_before and all(place < len(pools[name]) for name, place in known_before.items()):
            return known_before
        found = solve(self.session, Problem(wish.shape, {name: pools[name] for name in group}, known, about))
        if plain and found is not None:
            self._solutions[memory] = found
        return found

    def pool(self, wish: Wish, name: str, number: int, conditions: Sequence[Condition]) -> list[Candidate]:
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
        if column.identity or (column.default is not None and not _replaced(column)):
            found.append(DEFAULT)
        is_key = any(name in key.columns for key in wish.open_keys)
        empty_first = is_key or (column.is_time and not fresh)
        if not column.not_null and empty_first:
            found.append(None)
        if not fresh:
            found += self.constants.get((shape.table, name), ())
        place = Place(column, number, self.label(shape), fresh)
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


def _replaced(column: Column) -> bool:
    """Whether a default is not taken: NULL is none, and of random ids the seed decides."""
    default = column.default or ""
    empty = default.upper().partition("::")[0].strip("() ") == "NULL"
    return empty or (column.name_of_type == "uuid" and "uuid" in default.lower())


def _unmet(shape: Shape, about: Sequence[Condition]) -> str:
    texts = [
        check.name for check in shape.checks if any(check.expression == item.expression for item in about)
    ]
    named = ", ".join(dict.fromkeys(texts)) or PARTITION_BOUNDS
    return f"no values were found that meet {named}"
