"""Keys of rows: values promised before a row exists, and what to avoid once a key is taken."""

from __future__ import annotations

from psycopg import sql

from tools.sandbox.scratch.hints import Hints
from tools.sandbox.scratch.session import ScratchSession
from tools.sandbox.scratch.shapes import Column, Shape
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
            columns = frozenset(key.columns)
            plain = len(key.parts) == len(key.columns)
            return Condition(_absent(shape, key.columns) if plain else "", columns)
    return None


def _absent(shape: Shape, columns: tuple[str, ...]) -> str:
    """No row of the table has these values yet. ~t is the row in question (solve.py)."""
    taken = sql.Identifier("~x")
    tests = sql.SQL(" and ").join(
        sql.SQL("{}.{} = {}.{}").format(
            taken, sql.Identifier(name), sql.Identifier("~t"), sql.Identifier(name)
        )
        for name in columns
    )
    query = sql.SQL(" {} where {})").format(taken, tests).as_string(None)
    return f"not exists (select from {shape.sql_name}{query}"
