"""One synchronous session on a scratch database, whose errors are values of our own."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeAlias

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from tools.errors import Unavailable
from tools.sandbox.scratch.stopping import watched

Statement: TypeAlias = str | sql.SQL | sql.Composed
Params: TypeAlias = Sequence[Any] | Mapping[str, Any]


class SqlFailure(Exception):
    """PostgreSQL refused a statement. Empty strings where it did not say."""

    def __init__(
        self, sqlstate: str, message: str, constraint: str = "", table: str = "", column: str = ""
    ) -> None:
        super().__init__(f"{message} ({sqlstate})")
        self.sqlstate = sqlstate
        self.message = message
        self.constraint = constraint
        self.table = table
        self.column = column


class ScratchSession:
    """A connection to a scratch database, with autocommit off: nothing stays without commit().

    Raises SqlFailure for what the server refuses and Unavailable when it went away.
    """

    def __init__(self, dsn: str) -> None:
        try:
            self._connection = psycopg.connect(dsn, connect_timeout=10, prepare_threshold=None)
        except psycopg.Error:
            raise Unavailable("The scratch database cannot be reached.") from None
        self._stop = watched(self._connection)
        self._depth = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session; what was not committed is gone."""
        self._connection.close()

    @property
    def server_version(self) -> int:
        """libpq's number, such as 170010."""
        return self._connection.info.server_version

    @property
    def usable(self) -> bool:
        """Whether statements can run: the transaction has not failed and the server is there."""
        status = self._connection.info.transaction_status
        return status in (TransactionStatus.IDLE, TransactionStatus.INTRANS)

    def rows(self, statement: Statement, params: Params | None = None) -> list[tuple[Any, ...]]:
        """The rows of one statement; an empty list where it returns none."""
        cursor = self._execute(statement, params)
        return cursor.fetchall() if cursor.description else []

    def dicts(self, statement: Statement, params: Params | None = None) -> list[dict[str, Any]]:
        """The rows of one statement by column name."""
        cursor = self._execute(statement, params)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()] if names else []

    def run(self, statement: Statement, params: Params | None = None) -> int:
        """Run one statement and give the number of rows it touched."""
        return self._execute(statement, params).rowcount

    def script(self, text: str) -> None:
        """Run many statements in one round trip; the first failure ends it."""
        self._execute(text, None)

    def attempt(self, statement: sql.Composed) -> list[tuple[Any, ...]]:
        """The rows of one statement; its failure undoes nothing else. One round trip where it succeeds."""
        around = sql.SQL("SAVEPOINT scratch_attempt; {}; RELEASE scratch_attempt").format(statement)
        try:
            cursor = self._execute(around, None)
        except SqlFailure:
            self._undo("scratch_attempt")
            raise
        cursor.nextset()
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def savepoint(self, *, keep: bool = True) -> Generator[None]:
        """A part of the transaction that is undone when it raises, and also when `keep` is False."""
        self._depth += 1
        name = f"scratch_{self._depth}"
        self.script(f"SAVEPOINT {name}")
        whole = False
        try:
            yield
            whole = keep
        finally:
            self._depth -= 1
            self.script(f"RELEASE {name}") if whole else self._undo(name)

    def _undo(self, name: str) -> None:
        if not self._connection.closed:
            self.script(f"ROLLBACK TO {name}; RELEASE {name}")

    def commit(self) -> None:
        """Keep everything so far."""
        self.script("COMMIT")

    def rollback(self) -> None:
        """Undo everything since the last commit."""
        self._connection.rollback()

    def _execute(self, statement: Statement, params: Params | None) -> psycopg.Cursor[tuple[Any, ...]]:
        query = statement.encode() if isinstance(statement, str) else statement
        self._stop.check()
        try:
            # Text, bound without binary adaptation: a str goes as an unknown literal that a cast decides.
            return self._connection.execute(query, params)
        except psycopg.Error as error:
            raise self._failure(error) from None

    def _failure(self, error: psycopg.Error) -> SqlFailure | Unavailable:
        code = error.sqlstate or ""
        if self._connection.closed or code.startswith(("08", "57P")):
            return Unavailable("The scratch database went away.", code=code)
        diag = error.diag
        message = diag.message_primary or str(error).strip().partition("\n")[0]
        table = f"{diag.schema_name}.{diag.table_name}" if diag.table_name else ""
        return SqlFailure(code, message, diag.constraint_name or "", table, diag.column_name or "")
