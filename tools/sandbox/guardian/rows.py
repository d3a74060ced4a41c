"""Rows of the small tables, collected in memory and written with COPY.

A Census draws every id and every choice from one seeded generator: the same seed gives the same rows.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, Literal

import psycopg
from psycopg import sql

State = Literal["pending", "active", "revoked", "expired", "withdrawn"]
Level = Literal["read", "write", "manage"]
Kind = Literal["self", "child", "dependant", "pet"]

# Fixed moments, because the same seed must give the same rows on every day: FUTURE is far enough away
# that "active" stays active, PAST long enough ago that "expired" is.
START: Final = datetime(2023, 1, 9, 8, 0, tzinfo=UTC)
PAST: Final = datetime(2025, 6, 30, 12, 0, tzinfo=UTC)
TODAY: Final = datetime(2026, 10, 31, 12, 0, tzinfo=UTC)
FUTURE: Final = datetime(2040, 1, 1, 12, 0, tzinfo=UTC)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """One person who can sign in."""

    id: uuid.UUID
    given: str
    family: str
    email: str

    @property
    def name(self) -> str:
        """As shown in the app."""
        return f"{self.given} {self.family}"


@dataclass(frozen=True, slots=True)
class Profile:
    """One health record and its owner."""

    id: uuid.UUID
    owner: Account
    given: str
    family: str


class Census:
    """Collects rows by table; every method adds what belongs to one person or one relation."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)  # noqa: S311 - reproducible rows are the point; nothing here is a secret
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self.people = 0

    def new_id(self) -> uuid.UUID:
        return uuid.UUID(int=self.rng.getrandbits(128), version=4)

    def moment(self) -> datetime:
        """Some second between START and one year later, as the time of a sign-up."""
        return START + timedelta(seconds=self.rng.randrange(365 * 86400))

    def add(self, table: str, **values: Any) -> None:
        """One row of `schema.table`; all rows of a table are given the same columns."""
        self.rows[table].append(values)


def copy_rows(connection: psycopg.Connection[Any], table: str, rows: list[Row]) -> None:
    """Write rows, which all have the same keys, into `schema.table` with COPY."""
    if not rows:
        return
    columns = list(rows[0])
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        for row in rows:
            stream.write_row([row[name] for name in columns])
