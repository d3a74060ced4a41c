"""One PostgreSQL target: connects lazily, reads by default, and leaves nothing behind.

    Database ── session() ──▶ Session: one transaction (READ ONLY unless asked), timeouts, role and claims
             ── fetch() / fetch_many() ──▶ catalog reads with a literal statement

Every session is one transaction on a connection that nobody else is using. Role, claims and timeouts are
LOCAL to it, and the connection is wiped with DISCARD ALL afterwards, or closed when its state is in doubt.
No prepared statements and no start-up options are used, so that transaction poolers work as well.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, LiteralString, TypeAlias, cast

from psycopg import AsyncConnection, AsyncCursor
from psycopg.pq import TransactionStatus
from psycopg.rows import AsyncRowFactory, DictRow, dict_row
from psycopg.sql import SQL, Composed, Identifier

from tools.database.faults import connecting, running
from tools.database.target import Target, parse_dsn
from tools.errors import InvalidInput, NotFound, SergeiError, Unavailable

if TYPE_CHECKING:
    from tools.database.identity import Identity

Statement: TypeAlias = LiteralString | SQL | Composed
Values: TypeAlias = Mapping[str, Any]

_BEGIN: Final[dict[tuple[bool, bool], LiteralString]] = {
    (True, False): "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY",
    (True, True): "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    (False, False): "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
}
_SETTINGS: Final = (
    "SELECT pg_catalog.set_config('statement_timeout', %(statement)s, true),"
    " pg_catalog.set_config('lock_timeout', %(lock)s, true),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', %(idle)s, true),"
    # Off, a backslash would escape a quote: the server would read another statement than our parser did.
    " pg_catalog.set_config('standard_conforming_strings', 'on', true)"
)
_CATALOG_ONLY: Final = "SELECT pg_catalog.set_config('search_path', 'pg_catalog', true)"
_CLAIMS: Final = (
    "SELECT pg_catalog.set_config('request.jwt.claims', %(claims)s, true),"
    " pg_catalog.set_config('request.jwt.claim.sub', %(sub)s, true),"
    " pg_catalog.set_config('request.jwt.claim.role', %(role)s, true)"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, and the number of connections that one Database may hold at once."""

    connections: int = 4
    connect: float = 10.0
    statement: float = 15.0
    lock: float = 2.0
    idle: float = 60.0


@dataclass(frozen=True, slots=True)
class Session:
    """One open transaction. Lives only inside `async with database.session()`."""

    connection: AsyncConnection[DictRow]
    target: Target
    limits: Limits

    async def fetch(self, statement: Statement, values: Values | None = None) -> list[dict[str, Any]]:
        """The rows of one statement that returns rows."""
        async with self.deadline():
            cursor = await self.connection.execute(statement, values)
            return await cursor.fetchall()

    async def run(self, statement: Statement, values: Values | None = None) -> AsyncCursor[DictRow]:
        """Run one statement; the cursor knows `rowcount` and `statusmessage`."""
        async with self.deadline():
            return await self.connection.execute(statement, values)

    async def plain(self, sql: str, *, offset: int = 0, utility: bool = False) -> AsyncCursor[DictRow]:
        """Run one statement that somebody wrote, over the extended protocol: it cannot be two.

        `offset` is how many characters of ours precede theirs; positions in errors count from theirs.
        `utility`: it reads no rows, so that names in an error can only be its own.
        """
        async with self.deadline(offset, sql if utility else ""):
            # A binary result format is what makes psycopg choose the extended protocol without parameters.
            return await self.connection.execute(sql.encode(), binary=True)

    async def become(self, role: str | None, claims: Values | None) -> None:
        """Act as `role` with a request's `claims` until the transaction ends."""
        if claims is not None:
            try:
                text = json.dumps(dict(claims))
            except (TypeError, ValueError):
                raise InvalidInput("`claims` must be a JSON object.") from None
            subject, said = str(claims.get("sub") or ""), str(claims.get("role") or role or "")
            await self.run(_CLAIMS, {"claims": text, "sub": subject, "role": said})
        if role is not None:
            try:
                await self.run(SQL("SET LOCAL ROLE {}").format(Identifier(role)))
            except SergeiError as error:
                if error.code != "22023":
                    raise
                raise NotFound(f"There is no role {role} in {self.target.label}.", code="22023") from None

    @asynccontextmanager
    async def deadline(self, offset: int = 0, named_in: str = "") -> AsyncGenerator[None]:
        """Translate errors, and give up when even the server's own timeout does not come back."""
        try:
            async with asyncio.timeout(self.limits.statement + 5):
                with running(self.target, offset, named_in):
                    yield
        except TimeoutError:
            raise Unavailable(
                f"{self.target.label} stopped answering.",
                hint="Try again; look at the server if it stays so.",
            ) from None


class Database:
    """A target. Connects when first used and never holds more than `limits.connections` connections."""

    def __init__(self, dsn: str, *, environment: str = "unknown", limits: Limits | None = None) -> None:
        self.target, self._conninfo = parse_dsn(dsn, environment)
        self.limits = limits or Limits()
        self._idle: list[AsyncConnection[DictRow]] = []
        self._slots = asyncio.Semaphore(self.limits.connections)
        self._identity: Identity | None = None
        self._closed = False
        self.seen: dict[str, tuple[str, ...]] = {}
        """The server that a preview saw, by the digest of what was previewed (tools/database/anchor.py)."""

    @property
    def conninfo(self) -> str:
        """How to connect, with what secret it takes: for a dump of the schema, never for a message."""
        return self._conninfo

    @asynccontextmanager
    async def alone(self, limits: Limits) -> AsyncGenerator[Session]:
        """A connection without a transaction, for what PostgreSQL refuses inside one; wiped afterwards."""
        async with self._connection() as connection:
            session = Session(connection, self.target, limits)
            await session.run(SQL(_SETTINGS.replace(", true)", ", false)")), _milliseconds(limits))
            yield session

    @asynccontextmanager
    async def session(
        self,
        *,
        read_only: bool = True,
        role: str | None = None,
        claims: Values | None = None,
        keep: bool = True,
        limits: Limits | None = None,
    ) -> AsyncGenerator[Session]:
        """One transaction: rolled back when read-only, when `keep` is False or on an error, else committed.

        `role` and `claims` are what PostgREST would set for a request, LOCAL to this transaction.
        """
        limits = limits or self.limits
        async with self._connection() as connection:
            session = Session(connection, self.target, limits)
            await session.run(_BEGIN[read_only, False])
            await session.run(_SETTINGS, _milliseconds(limits))
            await session.become(role, claims)
            yield session
            await _finish(session, commit=keep and not read_only)

    async def fetch(self, sql: LiteralString, params: Values | None = None) -> list[dict[str, Any]]:
        """Rows of one catalog query. READ ONLY; search_path is pg_catalog, so names print qualified."""
        return (await self.fetch_many([(sql, params)]))[0]

    async def fetch_many(
        self, queries: Sequence[tuple[LiteralString, Values | None]]
    ) -> list[list[dict[str, Any]]]:
        """Rows of several catalog queries from one snapshot, in one round trip (REPEATABLE READ, READ ONLY).

        search_path is pg_catalog alone: write every other name qualified; deparsed names print qualified.
        """
        async with self._connection() as connection:
            session = Session(connection, self.target, self.limits)
            async with session.deadline(), connection.pipeline():
                await connection.execute(_BEGIN[True, True])
                await connection.execute(_SETTINGS, _milliseconds(self.limits))
                await connection.execute(_CATALOG_ONLY)
                cursors = [await connection.execute(sql, params) for sql, params in queries]
                await connection.execute("ROLLBACK")
                return [await cursor.fetchall() for cursor in cursors]

    async def identity(self) -> Identity:
        """Server version, who we are there and what that login could do. Read once."""
        from tools.database.identity import read_identity

        if self._identity is None:
            self._identity = await read_identity(self)
        return self._identity

    async def close(self) -> None:
        """Close every idle connection; those in use close when their session ends."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[AsyncConnection[DictRow]]:
        """A clean connection; wiped afterwards and kept, or closed when anything went wrong."""
        async with self._slots:
            connection = await self._take()
            whole = False
            try:
                yield connection
                whole = await _wipe(connection)
            except SergeiError:
                whole = await _undone(connection) and await _wipe(connection)
                raise
            finally:
                if whole and not self._closed:
                    self._idle.append(connection)
                else:
                    await connection.close()

    async def _take(self) -> AsyncConnection[DictRow]:
        while self._idle:
            connection = self._idle.pop()
            if await _alive(connection):
                return connection
            await connection.close()
        with connecting(self.target):
            try:
                async with asyncio.timeout(self.limits.connect + 1):
                    return await AsyncConnection[DictRow].connect(
                        self._conninfo,
                        autocommit=True,
                        prepare_threshold=None,
                        row_factory=cast("AsyncRowFactory[DictRow]", dict_row),
                        application_name="sergei",
                        connect_timeout=max(1, round(self.limits.connect)),
                        client_encoding="UTF8",
                    )
            except TimeoutError:
                raise OSError(0, "timeout") from None


async def _finish(session: Session, *, commit: bool) -> None:
    try:
        await session.run("COMMIT" if commit else "ROLLBACK")
    except Unavailable as error:
        if not commit:
            raise
        raise Unavailable(
            f"{error.message} It is not known whether the change was committed.",
            hint="Look before you try again.",
            code=error.code,
        ) from None


async def _alive(connection: AsyncConnection[DictRow]) -> bool:
    """Whether an idle connection is still usable: the server may have gone in the meantime."""
    if connection.closed:
        return False
    try:
        async with asyncio.timeout(2):
            await connection.execute("")
    except (TimeoutError, OSError, connection.OperationalError):
        return False
    return connection.info.transaction_status is TransactionStatus.IDLE


async def _undone(connection: AsyncConnection[DictRow]) -> bool:
    """Roll back what a failure left open; False when the server is still busy with it, or gone."""
    open_or_failed = {TransactionStatus.INTRANS, TransactionStatus.INERROR}
    if connection.closed or connection.info.transaction_status not in open_or_failed:
        return False
    try:
        async with asyncio.timeout(5):
            await connection.execute("ROLLBACK")
    except (TimeoutError, connection.Error):
        return False
    return True


async def _wipe(connection: AsyncConnection[DictRow]) -> bool:
    """Forget role, settings, cursors, locks and temporary tables. False: not clean, close it."""
    if connection.closed or connection.info.transaction_status is not TransactionStatus.IDLE:
        return False
    try:
        async with asyncio.timeout(5):
            await connection.execute("DISCARD ALL")
    except (TimeoutError, connection.Error):
        return False
    return True


def _milliseconds(limits: Limits) -> dict[str, str]:
    seconds = {"statement": limits.statement, "lock": limits.lock, "idle": limits.idle}
    return {name: str(max(1, round(value * 1000))) for name, value in seconds.items()}
