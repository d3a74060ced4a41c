"""Where each result column comes from: libpq names the table and column, views are followed to theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from tools.errors import SergeiError

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from tools.database.catalog import Relation
    from tools.database.connection import Session

Origin: TypeAlias = tuple[int, int]
"""(oid of the relation, number of the column); (0, 0) for an expression."""
_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """One result column as the protocol describes it."""

    name: str
    type_oid: int
    origin: Origin


def described(result: PGresult) -> list[Shape]:
    """The columns of a result."""
    return [
        Shape(
            (result.fname(number) or b"?").decode("utf-8", errors="replace"),
            result.ftype(number),
            (result.ftable(number), result.ftablecol(number)),
        )
        for number in range(result.nfields)
    ]


async def describe_views(session: Session, views: Iterable[Relation]) -> dict[int, list[Origin]]:
    """For each view the origins of its columns, as its own definition has them.

    The definition is opened as a cursor and no row is fetched. A view that this login may not open stays
    out of the answer, and its columns count as computed.
    """
    origins: dict[int, list[Origin]] = {}
    for view in views:
        body = (view.definition or "").rstrip().rstrip(";")
        await session.run("SAVEPOINT view_shape")
        try:
            await session.plain(f"DECLARE view_shape NO SCROLL CURSOR FOR {body}")
            cursor = await session.run("FETCH FORWARD 0 FROM view_shape")
        except SergeiError:
            await session.run("ROLLBACK TO SAVEPOINT view_shape")
        else:
            if cursor.pgresult is not None:
                origins[view.oid] = [shape.origin for shape in described(cursor.pgresult)]
            await session.run("CLOSE view_shape")
        await session.run("RELEASE SAVEPOINT view_shape")
    return origins


def settle(origin: Origin, views: Mapping[int, list[Origin]]) -> Origin:
    """The table column behind an origin, through views; (0, 0) when it is computed on the way."""
    for _ in range(_DEPTH):
        relation, number = origin
        if relation not in views:
            return origin
        columns = views[relation]
        origin = columns[number - 1] if 0 < number <= len(columns) else (0, 0)
    return (0, 0)
