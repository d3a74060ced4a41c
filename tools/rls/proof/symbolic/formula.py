"""Formulas over flags and whole-number variables, and three-valued truth made of two of them.

A database's NULL is neither true nor false, so a condition is a pair: when it is true, when it is false.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Always:
    """True or false whatever the state."""

    value: bool


@dataclass(frozen=True, slots=True)
class Flag:
    """A free boolean."""

    name: str


@dataclass(frozen=True, slots=True)
class Compared:
    """`left = right` or `left < right`; a side is a variable's name or a number."""

    operator: str
    left: str | int
    right: str | int


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    part: Formula


@dataclass(frozen=True, slots=True)
class All:
    """Conjunction."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Disjunction."""

    parts: tuple[Formula, ...]


Formula: TypeAlias = Always | Flag | Compared | Not | All | Any

TRUE: Final = Always(True)
FALSE: Final = Always(False)


def negated(part: Formula) -> Formula:
    """`not part`."""
    if isinstance(part, Always):
        return FALSE if part.value else TRUE
    return part.part if isinstance(part, Not) else Not(part)


def all_of(parts: Iterable[Formula]) -> Formula:
    """The conjunction, without what is always true."""
    kept = dict.fromkeys(part for part in parts if part != TRUE)
    if FALSE in kept:
        return FALSE
    return next(iter(kept)) if len(kept) == 1 else All(tuple(kept)) if kept else TRUE


def any_of(parts: Iterable[Formula]) -> Formula:
    """The disjunction, without what is never true."""
    kept = dict.fromkeys(part for part in parts if part != FALSE)
    if TRUE in kept:
        return TRUE
    return next(iter(kept)) if len(kept) == 1 else Any(tuple(kept)) if kept else FALSE


def compared(operator: str, left: str | int, right: str | int) -> Formula:
    """`left operator right` for = and <, worked out where both sides are known."""
    if left == right:
        return TRUE if operator == "=" else FALSE
    if isinstance(left, int) and isinstance(right, int):
        return Always(left < right) if operator == "<" else FALSE
    return Compared(operator, left, right)


def assuming(formula: Formula, flag: Flag, value: bool) -> Formula:
    """The formula with one flag decided."""
    match formula:
        case Flag():
            return Always(value) if formula == flag else formula
        case Not(part):
            return negated(assuming(part, flag, value))
        case All(parts):
            return all_of(assuming(part, flag, value) for part in parts)
        case Any(parts):
            return any_of(assuming(part, flag, value) for part in parts)
        case _:
            return formula


def variables(formula: Formula) -> set[str]:
    """The names of variables and flags in a formula."""
    match formula:
        case Flag(name):
            return {name}
        case Compared(_, left, right):
            return {side for side in (left, right) if isinstance(side, str)}
        case Not(part):
            return variables(part)
        case All(parts) | Any(parts):
            return {name for part in parts for name in variables(part)}
        case _:
            return set()


@dataclass(frozen=True, slots=True)
class Truth:
    """A condition: when it is true and when it is false. Where neither holds, it is NULL."""

    true: Formula
    false: Formula

    def negated(self) -> Truth:
        """NOT."""
        return Truth(self.false, self.true)

    @property
    def null(self) -> Formula:
        """When it is NULL."""
        return all_of((negated(self.true), negated(self.false)))


def both(parts: Iterable[Truth]) -> Truth:
    """AND."""
    several = tuple(parts)
    return Truth(all_of(p.true for p in several), any_of(p.false for p in several))


def either(parts: Iterable[Truth]) -> Truth:
    """OR."""
    several = tuple(parts)
    return Truth(any_of(p.true for p in several), all_of(p.false for p in several))


def plain(formula: Formula) -> Truth:
    """A condition that is never NULL."""
    return Truth(formula, negated(formula))
