"""Questions to the database about one row and one caller: READ ONLY, in savepoints, judged by the guard.

The row's values are read once by a login that sees it and stay in this process; conditions are then evaluated
as the caller, over a row of constants that bears the table's name. Only expressions of the catalog are run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tools.database.catalog import read_catalog
from tools.database.connection import Database, Session
from tools.database.guard import judge
from tools.database.reach import inspect
from tools.database.roles import act_as
from tools.database.sqltext import parse_one
from tools.errors import SergeiError, Unavailable
from tools.rls.objects import Relation
from tools.rls.wording import literal, quoted

_CANCELLED = "57014"


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one row as text, by column; never printed."""

    relation: Relation
    values: Mapping[str, str | None]

    def source(self, alias: str, *, blank: bool = False) -> str:
        """A FROM entry that is this row; `blank`: with NULL in place of every value."""
        types = {name: column.type for name, column in self.relation.columns.items()}
        values = {
            name: "null" if value is None or blank else literal(value) for name, value in self.values.items()
        }
        columns = (f"{value}::{types[name]} as {quoted(name)}" for name, value in values.items())
        return f"(select {', '.join(columns)}) as {quoted(alias)}"

    def __repr__(self) -> str:
        return f"Row({self.relation.title})"


@asynccontextmanager
async def acting(database: Database, role: str | None, claims: Mapping[str, Any]) -> AsyncGenerator[Session]:
    """A READ ONLY transaction as a role (None: the login itself) with a request's claims."""
    async with database.session() as session:
        await act_as(session, role, claims)
        await session.run("SELECT pg_catalog.set_config('search_path', 'pg_catalog', true)")
        yield session


async def objection(session: Session, sql: str, allowed: Collection[str]) -> str:
    """Why the guard would not run a statement; empty when it may run."""
    try:
        reach = inspect(parse_one(sql).node)
        found = judge(reach, await read_catalog(session, reach), allowed=allowed)
    except SergeiError as error:
        return error.message
    return str(found[0]) if found else ""


async def ask(session: Session, sql: str) -> list[dict[str, Any]] | str:
    """The rows of a statement, or the SQLSTATE that it failed with: a message may quote values."""
    await session.run("SAVEPOINT sergei_part")
    try:
        cursor = await session.plain(sql)
        rows = await cursor.fetchall()
    except SergeiError as error:
        if isinstance(error, Unavailable) and error.code != _CANCELLED:
            raise
        await session.run("ROLLBACK TO SAVEPOINT sergei_part")
        return error.code or "error"
    await session.run("RELEASE SAVEPOINT sergei_part")
    return rows


def said(value: object) -> str:
    """true, false or null."""
    return "null" if value is None else "true" if value else "false"
