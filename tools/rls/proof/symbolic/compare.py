"""Comparisons of values, in SQL's three-valued logic."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tools.rls.proof.symbolic.formula import (
    FALSE,
    TRUE,
    Formula,
    Truth,
    all_of,
    any_of,
    compared,
    negated,
)
from tools.rls.proof.symbolic.scopes import Unclear
from tools.rls.proof.symbolic.terms import NULL, Scalar, Space, ValueKind

OPPOSITE: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "<>": "<>"}
_UNITS: Final = {
    "year": 31_557_600,
    "mon": 2_592_000,
    "week": 604_800,
    "day": 86_400,
    "hour": 3_600,
    "min": 60,
    "sec": 1,
}
_PART: Final = re.compile(r"([+-]?\d+)\s*(year|mon|week|day|hour|min|sec)[a-z]*")
_CLOCK: Final = re.compile(r"(-?)(\d+):(\d\d)(?::(\d\d))?")


def compare(space: Space, operator: str, one: Scalar, other: Scalar) -> Truth:
    """`one operator other`. Raises Unclear for operators and orders that are not translated."""
    operator = {"!=": "<>"}.get(operator, operator)
    if operator not in OPPOSITE:
        raise Unclear(f"operator {operator}")
    one, other = _alike(space, one, other)
    null = any_of((one.null, other.null))
    known = negated(null)
    if operator in ("=", "<>"):
        equal = _pairs("=", one, other)
        unequal = _each(one, other, lambda a, b: negated(compared("=", a, b)))
        truth = Truth(all_of((known, equal)), all_of((known, unequal)))
        return truth if operator == "=" else truth.negated()
    if one.kind == "text":
        return _by_order(space, operator, one, other)
    if operator in (">", "<="):
        one, other = other, one
    less = _pairs("<", one, other)
    # >= and <= are the negations of < with sides as they stand now.
    truth = Truth(
        all_of((known, less)), all_of((known, _each(one, other, lambda a, b: negated(compared("<", a, b)))))
    )
    return truth if operator in ("<", ">") else truth.negated()


def distinct(space: Space, one: Scalar, other: Scalar) -> Truth:
    """IS DISTINCT FROM."""
    equal = compare(space, "=", one, other)
    same = any_of((equal.true, all_of((one.null, other.null))))
    return Truth(negated(same), same)


def seconds(text: str) -> int | None:
    """An interval's length as PostgreSQL prints intervals, or None; months count 30 days."""
    word = text.strip().lower()
    found = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(word))
    clock = _CLOCK.search(word)
    if clock:
        length = int(clock[2]) * 3600 + int(clock[3]) * 60 + int(clock[4] or 0)
        found += -length if clock[1] else length
    return found if clock or _PART.search(word) else None


def _pairs(operator: str, one: Scalar, other: Scalar) -> Formula:
    return _each(one, other, lambda a, b: compared(operator, a, b))


def _each(one: Scalar, other: Scalar, test: Callable[[str | int, str | int], Formula]) -> Formula:
    shift = other.shift - one.shift
    found: list[Formula] = []
    for guard, left in one.cases:
        for also, right in other.cases:
            if shift and isinstance(right, int):
                side: tuple[str | int, str | int] = (left, right + shift)
            elif shift and isinstance(left, int):
                side = (left - shift, right)
            elif shift:
                raise Unclear("two times apart from each other")
            else:
                side = (left, right)
            found.append(all_of((guard, also, test(*side))))
    return any_of(found)


def _by_order(space: Space, operator: str, one: Scalar, other: Scalar) -> Truth:
    """Order of an enum's labels against a constant; other texts have no order here."""
    if isinstance(one.atom, int):
        one, other, operator = other, one, OPPOSITE[operator]
    cell = space.cells.get(str(one.atom))
    labels = space.labels.get((cell[0].relation.title, cell[1]), ()) if cell else ()
    bound = space.spelt(other.atom) if isinstance(other.atom, int) else None
    if cell is None or bound not in labels or not _is_enum(cell[0].relation.columns[cell[1]].type):
        raise Unclear("the order of texts")
    at = labels.index(bound)
    chosen = {
        "<": labels[:at], "<=": labels[: at + 1], ">": labels[at + 1 :], ">=": labels[at:],
    }[operator]  # fmt: skip
    name = str(one.atom)
    inside = any_of(compared("=", name, space.number_of(label)) for label in chosen)
    known = negated(any_of((one.null, other.null)))
    return Truth(all_of((known, inside)), all_of((known, negated(inside))))


def _is_enum(type_name: str) -> bool:
    return not type_name.startswith(("text", "character", "uuid", "json", "citext"))


def _alike(space: Space, one: Scalar, other: Scalar) -> tuple[Scalar, Scalar]:
    if one.kind == other.kind:
        return (
            (_typed(space, one, "text"), _typed(space, other, "text"))
            if one.kind == "literal"
            else (one, other)
        )
    if one.kind == "literal":
        return _typed(space, one, other.kind), other
    if other.kind == "literal":
        return one, _typed(space, other, one.kind)
    raise Unclear(f"{one.kind} beside {other.kind}")


def _typed(space: Space, literal: Scalar, kind: ValueKind) -> Scalar:
    if literal.null == TRUE:
        return replace(NULL, kind=kind)
    value = space.constant(literal.text, kind)
    if value is None:
        raise Unclear(f"{literal.text!r} as {kind}")
    return Scalar(((TRUE, value),), FALSE, kind)
