"""A cursor that hands out values as PostgreSQL printed them, each cut to what is kept.

psycopg would turn them into Python objects, fail on dates before year 1, and copy a 10 MB text twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg import AsyncConnection, AsyncCursor, postgres
from psycopg.adapt import Loader
from psycopg.rows import TupleRow, tuple_row

from tools.database.rows import CELL_CHARS, Raw

if TYPE_CHECKING:
    from psycopg.abc import Buffer

_KEPT: Final = CELL_CHARS * 4
"""A character of UTF-8 takes up to four bytes."""


class _RawLoader(Loader):
    def load(self, data: Buffer) -> Raw:
        view = memoryview(data)
        return Raw(bytes(view[:_KEPT]), view.nbytes)


def raw_cursor(connection: AsyncConnection[Any]) -> AsyncCursor[TupleRow]:
    """A cursor whose rows are tuples of `Raw | None`."""
    cursor = connection.cursor(row_factory=tuple_row)
    for oid in _OIDS:
        cursor.adapters.register_loader(oid, _RawLoader)
    return cursor


_OIDS: Final = (0, *(oid for known in postgres.types for oid in (known.oid, known.array_oid) if oid))
