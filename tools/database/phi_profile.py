"""What a column's values look like, counted inside the database: only numbers leave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from psycopg.sql import SQL, Composed, Identifier, Literal

from tools.errors import SergeiError

if TYPE_CHECKING:
    from tools.database.connection import Database
    from tools.database.linkage import Attribute, Table

SAMPLE: Final = 5_000
"""Rows looked at per table."""
_SECONDS: Final = 5.0
_COLUMNS_AT_ONCE: Final = 60
_FEW: Final = 40
_SHARE: Final = 0.3
_SHAPES: Final[tuple[tuple[str, str], ...]] = (
    ("e-mail addresses", r"[^\s@]+@[^\s@]+\.[a-z]{2,}"),
    ("phone numbers", r"^\s*(\+\d{1,3}|\(?0\d|\(\d{3}\))[\d ()./-]{6,18}$"),
    ("dates", r"^\d{4}-[01]\d-[0-3]\d|^[0-3]?\d[./][01]?\d[./](19|20)\d\d"),
    (
        "national numbers",
        r"^(\d{3}-\d{2}-\d{4}|\d{9,13}|[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]|[XYZ]?\d{7,8}[A-Z])$",
    ),
    ("names", r"^[[:upper:]][[:alpha:]'’-]+(,? [[:upper:]][[:alpha:].'’-]*){1,3}$"),
    ("sentences", r"[[:alpha:]]{2,} [[:alpha:]]+ [[:alpha:]]+ [[:alpha:]]+"),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """Counts over a sample of one column. `looks`: what three in ten values or more look like."""

    rows: int
    distinct: int
    longest: int
    looks: str = ""

    @property
    def listed(self) -> bool:
        """Whether the values are few, short words that repeat and look like nobody's."""
        return not self.looks and self.rows >= 20 * max(self.distinct, 1) and self.distinct <= _FEW

    def words(self) -> str:
        """The counts for a person."""
        looks = f", like {self.looks}" if self.looks else ""
        return f"{self.distinct:,} different in {self.rows:,} sampled{looks}"


async def profile(database: Database, table: Table, columns: Sequence[Attribute]) -> dict[int, Profile]:
    """The profiles of these columns by their number; columns that could not be read stay out."""
    found: dict[int, Profile] = {}
    limits = replace(database.limits, statement=min(_SECONDS, database.limits.statement))
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        part = columns[start : start + _COLUMNS_AT_ONCE]
        try:
            async with database.session(limits=limits) as session:
                (row,) = await session.fetch(_statement(table, part))
        except SergeiError:
            continue  # no right to read it, or too slow: then there is no profile, and nothing is concluded
        for number, column in enumerate(part):
            counts = [int(row[f"c{number}_{key}"] or 0) for key in range(len(_SHAPES) + 3)]
            found[column.number] = _profile(counts)
    return found


def _profile(counts: Sequence[int]) -> Profile:
    rows, distinct, longest, *shapes = counts
    best = max(range(len(_SHAPES)), key=lambda index: shapes[index])
    looks = _SHAPES[best][0] if rows and shapes[best] >= _SHARE * rows else ""
    return Profile(rows, distinct, longest, looks)


def _statement(table: Table, columns: Sequence[Attribute]) -> Composed:
    """One pass over a sample; every output is a count or a length."""
    wanted: list[Composed] = []
    for number, column in enumerate(columns):
        value = SQL("left(s.{}::text, 200)").format(Identifier(column.name))
        wanted += [
            _as(SQL("count({})").format(value), number, 0),
            _as(SQL("count(distinct {})").format(value), number, 1),
            _as(SQL("max(length({}))").format(value), number, 2),
        ]
        wanted += [
            _as(SQL("count(*) filter (where {} ~ {})").format(value, Literal(shape)), number, key)
            for key, (_, shape) in enumerate(_SHAPES, 3)
        ]
    return SQL("select {} from (select * from {} limit {}) as s").format(
        SQL(", ").join(wanted), Identifier(table.schema, table.name), Literal(SAMPLE)
    )


def _as(expression: Composed, column: int, key: int) -> Composed:
    return SQL("{} as {}").format(expression, Identifier(f"c{column}_{key}"))
