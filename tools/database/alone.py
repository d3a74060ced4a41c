"""CREATE INDEX, DROP INDEX and REINDEX ... CONCURRENTLY: outside a transaction, with what a failure leaves.

They wait for older transactions without blocking anybody, so their timeouts are long. When one fails half
way, PostgreSQL leaves an INVALID index behind, which costs writes and serves no query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tools.database.changes import Change
from tools.database.reach import Name
from tools.database.spelling import spell
from tools.errors import Refused, SergeiError

if TYPE_CHECKING:
    from tools.database.connection import Session

POOLER_PORT: Final = 6543
_INVALID: Final = """
select n.nspname::text as schema, c.relname::text as name
from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where not i.indisvalid and i.indrelid in (
  select coalesce(x.indrelid, k.oid) from pg_catalog.pg_class k
  join pg_catalog.pg_namespace s on s.oid = k.relnamespace
  left join pg_catalog.pg_index x on x.indexrelid = k.oid
  where k.relname = any (%(names)s) and (s.nspname = any (%(schemas)s) or '' = any (%(schemas)s)))
order by 1, 2
"""


def require_alone(changes: list[Change]) -> None:
    """Raise Refused when a statement that must run alone has company."""
    for number, change in enumerate(changes, 1):
        if change.alone and len(changes) > 1:
            raise Refused(
                f"Statement {number} ({change.command} CONCURRENTLY) is not run: it cannot be part of a"
                " transaction, and a script is one.",
                hint="Send it in a call of its own.",
            )


def require_direct(session: Session) -> None:
    """Raise Refused behind a pooler in transaction mode, where settings of the session do not hold."""
    if session.target.port == POOLER_PORT:
        raise Refused(
            "CONCURRENTLY needs a session of its own, and port 6543 is a pooler in transaction mode.",
            hint="Connect to the database directly or through the pooler in session mode (port 5432).",
        )


async def run_alone(session: Session, change: Change) -> str:
    """Run the statement; its command tag. A failure names the invalid indexes and how to clean up."""
    require_direct(session)
    before = await invalid_indexes(session, change)
    try:
        cursor = await session.plain(change.piece.text, utility=True)
    except SergeiError as error:
        left = [name for name in await _after(session, change) if name not in before]
        told = f"{change.command} CONCURRENTLY failed. {error.message}"
        hint = error.hint
        if left:
            shown = ", ".join(map(str, left))
            told += f" It left the INVALID index {shown} behind: it slows writes and serves no query."
            hint = " ".join(f"Clean up: DROP INDEX CONCURRENTLY {spell(name)};" for name in left)
        raise type(error)(told, hint=hint, code=error.code) from None
    return cursor.statusmessage or change.command


async def invalid_indexes(session: Session, change: Change) -> list[Name]:
    """Indexes of the statement's table that are marked invalid."""
    names = list(change.tables)
    values = {"names": [name.name for name in names], "schemas": [name.schema or "" for name in names]}
    return [Name(row["schema"], row["name"]) for row in await session.fetch(_INVALID, values)]


async def _after(session: Session, change: Change) -> list[Name]:
    try:
        return await invalid_indexes(session, change)
    except SergeiError:
        return []  # the connection is gone: the first error says so
