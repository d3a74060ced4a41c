"""The same query with its large values cut by the server: one cell of a gigabyte must not become ours.

    select ... ─▶ select <short columns>, <cut columns>, <their sizes> from (... as text) from (select ...)

libpq holds a whole row before anybody can look at its size, so the cut has to be made on the other side. What
a column is (provenance, type) is still read from the query as it was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tools.database.rows import Raw

LARGE: Final = 65_536
"""Bytes above which a value is cut."""
_KEPT: Final = 8_192
_SHORT: Final = frozenset(
    {
        "boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric", "money", "oid",
        "date", "interval", "uuid", "inet", "cidr", "macaddr", "macaddr8", "name", '"char"', "character",
        "time without time zone", "time with time zone", "timestamp without time zone",
        "timestamp with time zone", "xid", "xid8", "cid", "tid", "pg_lsn", "regclass", "regproc", "regtype",
        "regrole", "regnamespace", "regprocedure", "regoper", "regoperator", "point", "lseg", "box", "line",
        "circle", "void",
    }
)  # fmt: skip
"""Types whose values cannot grow large (numeric ends at about 150 KB, character at 10 MB)."""
_DIRECT: Final = frozenset({"text", "character varying", "bytea"})


def clipped(sql: str, types: Sequence[str]) -> tuple[str, tuple[int, ...]] | None:
    """The query that cuts, and the positions of the columns that it cuts; None when no column can be large.

    Their sizes follow as further columns, in the same order. `types`: each column's, as format_type names it.
    """
    large = tuple(at for at, name in enumerate(types) if name not in _SHORT)
    if not large:
        return None
    names = [f"c{at}" for at in range(len(types))]
    as_text = ", ".join(_as_text(name, kind) for name, kind in zip(names, types, strict=True))
    values = ", ".join(_cut(name, kind) for name, kind in zip(names, types, strict=True))
    sizes = ", ".join(_size(names[at], types[at]) for at in large)
    listed = ", ".join(names)
    # OFFSET 0 keeps the planner from merging the levels, which would compute a column twice.
    inner = f"SELECT {as_text} FROM (\n{sql}\n) AS q ({listed}) OFFSET 0"  # noqa: S608  judged before
    return f"SELECT {values}, {sizes} FROM ({inner}) AS t ({listed})", large  # noqa: S608  names are ours


def joined(cells: tuple[Raw | None, ...], large: tuple[int, ...]) -> tuple[Raw | None, ...]:
    """A row of the cutting query as the query itself would have given it, with the true sizes."""
    width = len(cells) - len(large)
    row = list(cells[:width])
    for at, size in zip(large, cells[width:], strict=True):
        cell = row[at]
        if cell is not None and size is not None:
            row[at] = replace(cell, size=int(size.octets))
    return tuple(row)


def _as_text(name: str, kind: str) -> str:
    if kind in _SHORT or kind in _DIRECT:
        return name
    # format() prints a value as the wire would: a cast to text may be somebody's own function.
    return f"CASE WHEN {name} IS DISTINCT FROM NULL THEN pg_catalog.format('%s', {name}) END"


def _cut(name: str, kind: str) -> str:
    if kind in _SHORT:
        return name
    head = f"pg_catalog.substr({name}, 1, {_KEPT})"
    return f"CASE WHEN pg_catalog.octet_length({name}) > {LARGE} THEN {head} ELSE {name} END"


def _size(name: str, kind: str) -> str:
    size = f"pg_catalog.octet_length({name})"
    return f"{size} * 2::int8 + 2" if kind == "bytea" else size  # bytea is printed as \\x and two digits each
