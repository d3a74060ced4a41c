"""Keys of rows: values promised before a row exists, and what to avoid once a key is taken."""

from __future__ import annotations

from typing import LiteralString, cast

from psycopg import sql

from tools.sandbox.scratch.hints import Hints, names_in
from tools.sandbox.scratch.session import ScratchSession
from tools.sandbox.scratch.shapes import Column, Key, Shape
from tools.sandbox.scratch.solve import Condition
from tools.sandbox.scratch.values import Place, samples


def promised(session: ScratchSession, column: Column, place: Place) -> str:
    """A value for a key column of a row that will be inserted later."""
    default = (column.default or "").lower()
    if "nextval(" in default:
        ((value,),) = session.rows(f"select ({column.default})::text")
        return str(value)
    return samples(place, Hints())[0]


def conflict_condition(holder: Shape, shape: Shape, constraint: str) -> Condition | None:
    """What a row must meet so that it does not collide under this key again. None where it is unknown.

    The expression is empty for keys over expressions and for exclusion constraints: there the next row's
    number alone makes the difference.
    """
    for exclusion in holder.exclusions:
        if exclusion.name == constraint:
            return Condition("", frozenset(exclusion.columns))
    for key in holder.keys:
        if key.name == constraint:
            plain = len(key.parts) == len(key.columns)
            deciding = names_in(key.predicate) & set(shape.by_name)
            return Condition(_absent(shape, key) if plain else "", frozenset(key.columns) | deciding)
    return None


def _absent(shape: Shape, key: Key) -> str:
    """The row is outside a partial key, or no other row has its values. ~t is the row (solve.py)."""
    taken = sql.Identifier("~x")
    tests = sql.SQL(" and ").join(
        sql.SQL("{}.{} = {}.{}").format(
            taken, sql.Identifier(name), sql.Identifier("~t"), sql.Identifier(name)
        )
        for name in key.columns
    )
    rows = sql.SQL("select * from {} where {}").format(_raw(shape.sql_name), _raw(key.predicate or "true"))
    absent = sql.SQL("not exists (select from ({}) {} where {})").format(rows, taken, tests)
    if key.predicate:
        absent = sql.SQL("({}) is not true or {}").format(_raw(key.predicate), absent)
    return absent.as_string(None)


def _raw(text: str) -> sql.SQL:
    """Text that PostgreSQL deparsed."""
    return sql.SQL(cast("LiteralString", text))
