"""What the oracle knows of a clean database: its relations, and the rows worth trying things with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.rls.case import Case, Connection

SCHEMAS: Final = ("public", "storage", "realtime")
WIDTH: Final = 6
"""How many rows of a table things are tried with."""

RELATIONS: Final = Path(__file__).with_name("relations.sql").read_bytes()
COLUMNS: Final = Path(__file__).with_name("columns.sql").read_bytes()


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `words` are the values its enum or check names; `alone`: a unique index covers it."""

    name: str
    type: str
    enum: bool
    required: bool
    generated: bool
    identity: bool
    insertable: bool
    readable: bool
    target: str
    words: tuple[str, ...]
    alone: bool


@dataclass(frozen=True, slots=True)
class Known:
    """One relation of the clean schema, and the rows that probes are made of."""

    title: str
    kind: str
    partition: bool
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]


def look(connection: Connection, case: Case, only: Iterable[str] | None = None) -> dict[str, Known]:
    """Relations of a database by title. Views carry no rows: they are read only."""
    interesting = case.interesting
    found: dict[str, Known] = {}
    for title, kind, partition, _, key in connection.execute(RELATIONS, [list(SCHEMAS)]).fetchall():
        if (only is not None and title not in only) or title == "realtime.schema_migrations":
            continue
        columns = tuple(_column(row) for row in connection.execute(COLUMNS, [title]).fetchall())
        rows = _rows(connection, title, columns, interesting) if kind in ("r", "p") else ()
        found[title] = Known(title, kind, partition, tuple(key), columns, rows)
    return found


def _column(row: tuple[Any, ...]) -> Column:
    *facts, words, alone = row
    return Column(*facts, words=tuple(words), alone=alone)


def _rows(
    connection: Connection, title: str, columns: tuple[Column, ...], interesting: tuple[str, ...]
) -> tuple[dict[str, Any], ...]:
    """Few rows that show many states, those of interesting records first; the same ones each time."""
    order = "order by md5(t::text)"
    every: list[dict[str, Any]] = [
        row for (row,) in connection.execute(f"select to_jsonb(t) from {title} t {order} limit 600".encode())
    ]
    if title == "storage.objects":
        every = [{k: v for k, v in row.items() if k != "path_tokens"} for row in every]
    small = [c.name for c in columns if c.words or c.type == "bool" or c.target]
    wanted = set(interesting)
    left: list[dict[str, Any]] = list(every)
    chosen: list[dict[str, Any]] = []
    covered: set[str] = set()
    while left and len(chosen) < WIDTH:
        best = max(left, key=lambda row: (len(_features(row, small, wanted) - covered), -left.index(row)))
        covered |= _features(best, small, wanted)
        chosen.append(best)
        left = [row for row in left if row is not best]
    return tuple(chosen)


def _features(row: dict[str, Any], small: list[str], interesting: set[str]) -> set[str]:
    found = {f"{name}={row[name]}" for name in small if not isinstance(row[name], dict | list)}
    text = json.dumps(row, default=str)
    for anchor in interesting:
        if anchor in text:
            found |= {f"{anchor}{n}" for n in range(3)}
    return found
