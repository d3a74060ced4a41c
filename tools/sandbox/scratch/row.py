"""A row that was made, a row that is wanted, and why one cannot be made."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field

from tools.sandbox.scratch.shapes import ForeignKey, Shape
from tools.sandbox.scratch.solve import Condition

Known = MutableMapping[str, str | None]


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
class Wish:
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
