"""Foreign keys checked over all rows, since rows are inserted while they do not fire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString, cast

from psycopg import sql

from tools.sandbox.scratch.session import ScratchSession
from tools.sandbox.scratch.shapes import ForeignKey, Shape


@dataclass(frozen=True, slots=True)
class Violation:
    """A foreign key and how many rows break it."""

    table: str
    key: str
    rows: int


def verify(
    session: ScratchSession, shapes: Mapping[str, Shape], tables: Sequence[str] = ()
) -> list[Violation]:
    """Every foreign key that does not hold, in all tables or in those named. One query for all."""
    keys: list[tuple[Shape, ForeignKey]] = [
        (shapes[table], key)
        for table in (tables or shapes)
        if not shapes[table].partition_of
        for key in shapes[table].foreign_keys
        if key.target in shapes
    ]
    if not keys:
        return []
    counts = [_count(place, shape, shapes[key.target], key) for place, (shape, key) in enumerate(keys)]
    found = session.rows(sql.SQL(" union all ").join(counts))
    broken: list[tuple[tuple[Shape, ForeignKey], int]] = [
        (keys[place], count) for place, count in sorted(found) if count
    ]
    return [Violation(shape.table, key.name, count) for (shape, key), count in broken]


def _count(place: int, shape: Shape, target: Shape, key: ForeignKey) -> sql.Composed:
    """Rows whose key is complete and has no parent."""
    complete = sql.SQL(" and ").join(
        sql.SQL("c.{} is not null").format(sql.Identifier(name)) for name in key.columns
    )
    same = sql.SQL(" and ").join(
        sql.SQL("p.{} = c.{}").format(sql.Identifier(there), sql.Identifier(here))
        for here, there in zip(key.columns, key.target_columns, strict=True)
    )
    return sql.SQL(
        "select {}, count(*) from {} c where {} and not exists (select from {} p where {})"
    ).format(sql.Literal(place), _name(shape), complete, _name(target), same)


def _name(shape: Shape) -> sql.SQL:
    return sql.SQL(cast("LiteralString", shape.sql_name))
