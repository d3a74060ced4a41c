"""One side of a world: a family with its records and everything that hangs from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tools.rls.proof.model import Condition, Opening
from tools.sandbox.scratch.fill import Row

PAST: Final = "2020-01-01 00:00:00+00"
LONG_PAST: Final = "2000-01-01 00:00:00+00"
FUTURE: Final = "2099-01-01 00:00:00+00"
FAR: Final = "2199-01-01 00:00:00+00"
"""An end that lies behind every start, also behind one that is still to come."""


TRUE: Final = ("true", "t", "1")
"""How texts say yes."""
NOW_TEXT: Final = "2026"
"""Attacks write PAST or FUTURE, so that any year between them tells the two apart."""


@dataclass(slots=True, eq=False)
class Side:
    """A family: its owner's account, its records by anchor table, and all its rows, oldest first."""

    name: str
    account: str
    records: dict[str, Row] = field(default_factory=dict[str, Row])
    rows: list[Row] = field(default_factory=list[Row])
    spares: list[Row] = field(default_factory=list[Row])
    """Parents that no row of a link table refers to yet, so that an attack can insert one."""
    lapsed: bool = False
    """Whether the owner's account is not in force."""

    def add(self, row: Row) -> Row:
        """Keep a row, so that later ones may refer to it."""
        self.rows.append(row)
        return row

    def of(self, table: str) -> Row | None:
        """The first row of a table."""
        return next((row for row in self.rows if row.table == table), None)


def living(condition: Condition, *, nullable: bool) -> str | None:
    """A value with which the condition holds."""
    match condition.kind:
        case "one_of":
            return condition.values[0] if condition.values else None
        case "null":
            return None
        case "not_null" | "past":
            return PAST
        case "future":
            return None if nullable else FAR
        case "true":
            return "true"
        case _:
            return "false"


def dead_values(condition: Condition, labels: tuple[str, ...], *, nullable: bool) -> tuple[str | None, ...]:
    """Values with which the condition does not hold. `labels`: every value the column may have, if known."""
    match condition.kind:
        case "one_of":
            dead: tuple[str | None, ...] = tuple(label for label in labels if label not in condition.values)
            return dead if dead or not nullable else (None,)
        case "null":
            return (PAST,)
        case "not_null":
            return (None,)
        case "future":
            return (PAST,)
        case "past":
            return (FUTURE,)
        case "true":
            return ("false", None) if nullable else ("false",)
        case _:
            return ("true",)


def holds(condition: Condition) -> str:
    """The condition as SQL over its own table's columns, true or false."""
    column = '"' + condition.column.replace('"', '""') + '"'
    match condition.kind:
        case "one_of":
            values = ", ".join("'" + value.replace("'", "''") + "'" for value in condition.values)
            return f"coalesce({column}::text in ({values}), false)" if values else "false"
        case "null":
            return f"{column} is null"
        case "not_null":
            return f"{column} is not null"
        case "future":
            return f"({column} is null or {column}::timestamptz > now())"
        case "past":
            return f"({column} is null or {column}::timestamptz <= now())"
        case "true":
            return f"coalesce({column}::text in ('true', 't', '1'), false)"
        case _:
            return f"coalesce({column}::text not in ('true', 't', '1'), true)"


def top_rank(opening: Opening) -> str:
    """The value of the level column that allows most; empty where there is no level."""
    if not opening.ranks:
        return ""
    return max(opening.ranks, key=lambda rank: len(rank.rights)).value


def met_by(condition: Condition, value: str | None) -> bool:
    """The same over one value, for rows that an attack left behind; times are compared as ISO text."""
    match condition.kind:
        case "one_of":
            return value in condition.values
        case "null":
            return value is None
        case "not_null":
            return value is not None
        case "future":
            return value is None or value > NOW_TEXT
        case "past":
            return value is None or value <= NOW_TEXT
        case "true":
            return value in TRUE
        case _:
            return value not in TRUE
