"""Dead and living states of an opening's row as formulas, and a solver's state as the row that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tools.rls.objects import Relation
from tools.rls.proof.model import Condition, Opening
from tools.rls.proof.symbolic.formula import (
    FALSE,
    Formula,
    all_of,
    any_of,
    compared,
    negated,
)
from tools.rls.proof.symbolic.solver import State
from tools.rls.proof.symbolic.terms import DAY, Scalar, Space, kind_of

PAST: Final = "2020-01-01 00:00:00+00"
FUTURE: Final = "2099-01-01 00:00:00+00"
_LONG: Final = 365 * DAY
"""Beyond a year either way, PAST and FUTURE stand for every moment."""
_OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Tested:
    """A condition of the model, the column it looks at, and when a row is dead by it."""

    condition: Condition
    value: Scalar
    dead: Formula

    @property
    def alive(self) -> Formula:
        """The opposite of dead: the model knows no third way."""
        return negated(self.dead)


def tested(space: Space, opening: Opening) -> tuple[Tested, ...]:
    """The opening's conditions over the columns of its row and of the rows that its keys lead to."""
    found: list[Tested] = []
    for condition in opening.conditions:
        row = space.follow(condition.hops)
        if condition.column in row.relation.columns:
            value = space.cell(row, condition.column)
            found.append(Tested(condition, value, negated(_alive(space, condition, value))))
    return tuple(found)


def _alive(space: Space, condition: Condition, value: Scalar) -> Formula:
    known = negated(value.null)
    atom = value.atom if value.atom is not None else 0
    match condition.kind:
        case "one_of":
            numbers = [space.constant(text, value.kind) for text in condition.values]
            return all_of((known, any_of(compared("=", atom, n) for n in numbers if n is not None)))
        case "null":
            return value.null
        case "not_null":
            return known
        case "future":
            return any_of((value.null, compared("<", 0, atom)))
        case "past":
            return any_of((value.null, compared("<", atom, 0)))
        case "true":
            return all_of((known, is_true(space, value)))
        case _:
            return negated(all_of((known, is_true(space, value))))


def is_true(space: Space, value: Scalar) -> Formula:
    """A flag that is set, also where it is kept as a number or a text."""
    atom = value.atom
    if atom is None:
        return FALSE
    words = ("true", "t", "1") if value.kind == "text" else ("1",)
    numbers = [space.constant(word, value.kind) for word in words]
    return any_of(compared("=", atom, number) for number in numbers if number is not None)


def holds_null(value: Scalar, state: State) -> bool:
    """Whether a column is NULL in a state."""
    if value.null == FALSE:
        return False
    name = getattr(value.null, "name", "")
    return state.flags.get(name, False)


def pinned(value: Scalar, state: State) -> Formula:
    """The column has the value that it has in this state."""
    if holds_null(value, state):
        return value.null
    atom = value.atom
    if not isinstance(atom, str) or atom not in state.numbers:
        return negated(value.null)
    return all_of((negated(value.null), same_class(value, state)))


def same_class(value: Scalar, state: State) -> Formula:
    """The column has this value, or one that is as good: every moment on the same side of now."""
    if holds_null(value, state):
        return value.null
    atom, number = value.atom, state.numbers.get(str(value.atom), 0)
    if not isinstance(atom, str):
        return negated(value.null)
    if value.kind == "time":
        side = compared("<", 0, atom) if number > 0 else compared("<", atom, 0)
        return all_of((negated(value.null), side))
    return all_of((negated(value.null), compared("=", atom, number)))


def far(value: Scalar, state: State) -> Formula:
    """For a time: on the same side of now, but more than a year away."""
    atom, number = str(value.atom), state.numbers.get(str(value.atom), 0)
    return compared("<", _LONG, atom) if number > 0 else compared("<", atom, -_LONG)


def spelling(space: Space, value: Scalar, state: State) -> str | None:
    """The column's value in a state as a text literal, None for NULL."""
    if holds_null(value, state):
        return None
    number = state.numbers.get(str(value.atom), 0)
    if value.kind == "boolean":
        return "true" if number == 1 else "false"
    if value.kind == "number":
        return str(number)
    if value.kind == "time":
        return _moment(number, date=_type(space, value) == "date")
    known = space.spelt(number)
    return known if known is not None else _unmentioned(space, value)


def _moment(offset: int, *, date: bool) -> str:
    if abs(offset) > _LONG:
        return (FUTURE if offset > 0 else PAST)[: 10 if date else None]
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=offset)
    return moment.strftime("%Y-%m-%d" if date else "%Y-%m-%d %H:%M:%S+00")


def _type(space: Space, value: Scalar) -> str:
    at = space.cells.get(str(value.atom))
    return at[0].relation.columns[at[1]].type if at else ""


def _unmentioned(space: Space, value: Scalar) -> str:
    """A label that no condition names; of a column whose labels are not known, any word."""
    at = space.cells.get(str(value.atom))
    labels = space.labels.get((at[0].relation.title, at[1]), ()) if at else ()
    return next((label for label in labels), _OTHER)


def others(space: Space, known: tuple[Tested, ...], skip: str) -> Iterator[tuple[Condition, Scalar]]:
    """Columns that formulas use beside the model's conditions: flags, states and times of rows on the way."""
    taken = {str(one.value.atom) for one in known}
    for name, (row, column) in tuple(space.cells.items()):
        described = row.relation.columns[column]
        plain = kind_of(described.type) != "text" or not _is_key(row.relation, column)
        if name in taken or row.hops is None or not plain or (not row.hops and column == skip):
            continue
        yield Condition(row.hops, row.relation.title, column, "not_null"), space.cell(row, column)


def _is_key(relation: Relation, column: str) -> bool:
    return relation.columns[column].type == "uuid" or any(column in key.columns for key in relation.keys)
