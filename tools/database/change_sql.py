"""The tool change_sql."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tools.database.cells import raw_cursor
from tools.database.changes import Change, read_change
from tools.database.connection import Limits, Session
from tools.database.rehearsal import rehearse
from tools.database.sqltext import parse_script
from tools.database.undo import undo
from tools.errors import InvalidInput, Refused, SergeiError
from tools.registry import Effect, Params, Preview, Result, tool
from tools.resources import Resources

_MAX_STATEMENTS: Final = 500


class ChangeSql(Params):
    """Arguments of change_sql."""

    sql: str = Field(
        description="One statement or a script. It runs as one transaction: all of it or nothing."
    )
    lock_timeout_seconds: float = Field(default=3.0, gt=0, le=60, description="How long to wait for a lock.")
    timeout_seconds: float = Field(default=60.0, gt=0, le=3600, description="How long a statement may run.")


class Done(BaseModel):
    """One statement that ran. `rows` is None where rows do not apply."""

    model_config = ConfigDict(frozen=True)

    command: str
    tables: tuple[str, ...]
    rows: int | None = None


class Changed(Result):
    """The statements that were committed together. No row values."""

    target: str
    statements: tuple[Done, ...]

    def markdown(self) -> str:
        """A line per statement."""
        lines = [
            f"- {done.command} {', '.join(done.tables)}".rstrip()
            + ("" if done.rows is None else f": {done.rows:,} row{'' if done.rows == 1 else 's'}")
            for done in self.statements
        ]
        return "\n".join([f"Committed in {self.target}:", *lines])


async def preview(params: ChangeSql, resources: Resources) -> Preview:
    """What a person sees: the exact SQL, target and login, locks, a dry run when safe, the way back."""
    database, changes = resources.database, _changes(params.sql)
    identity = await database.identity()
    rehearsal = await rehearse(database, changes)
    async with database.session() as session:
        back = await undo(session, changes)
    consequences = [change.consequence for change in changes if change.consequence]
    if len(changes) > 1:
        consequences.append(f"The {len(changes)} statements run in one transaction.")
    return Preview(
        action=params.sql,
        target=f"{database.target.label} as {identity.login}",
        touches=tuple(dict.fromkeys(_touch(change) for change in changes)),
        consequence=" ".join(dict.fromkeys(consequences)),
        undo=back,
        evidence=rehearsal.words(),
        destructive=any(change.destructive for change in changes),
    )


@tool(Effect.WRITE, preview=preview)
async def change_sql(params: ChangeSql, resources: Resources) -> Changed:
    """Change data or structure with SQL, after a person has seen exactly what will run and said yes.

    One statement or a script, in one transaction with a lock timeout. Say what it does before you call it.
    RETURNING and SELECT show no rows. VACUUM, CONCURRENTLY and transaction control are refused. Never for
    reading: that is execute_sql.
    """
    database, changes = resources.database, _changes(params.sql)
    limits = Limits(statement=params.timeout_seconds, lock=params.lock_timeout_seconds, idle=30.0)
    async with database.session(read_only=False, limits=limits) as session:
        done = [await _run(session, change, number, len(changes)) for number, change in enumerate(changes, 1)]
    return Changed(target=database.target.label, statements=tuple(done))


def _changes(sql: str) -> list[Change]:
    """The statements, described. Raises InvalidInput or Refused for what is never run."""
    pieces = parse_script(sql)
    if not pieces or len(pieces) > _MAX_STATEMENTS:
        raise InvalidInput(
            f"`sql` must hold between 1 and {_MAX_STATEMENTS} statements, and holds {len(pieces)}."
        )
    changes = [read_change(piece) for piece in pieces]
    for number, change in enumerate(changes, 1):
        if change.refusal:
            where = f"Statement {number} ({change.command})" if len(changes) > 1 else change.command
            raise Refused(f"{where} is not run: {change.refusal}.", hint=change.hint)
    return changes


async def _run(session: Session, change: Change, number: int, count: int) -> Done:
    """Run one statement and count its rows; rows that come back are dropped here."""
    try:
        rows = await _counted(session, change)
    except SergeiError as error:
        where = f"Statement {number} of {count} ({change.command})" if count > 1 else change.command
        told = f"{where} failed and nothing was changed. {error.message}"
        raise type(error)(told, hint=error.hint, code=error.code) from None
    tables = tuple(str(table) for table in change.tables)
    return Done(command=change.command, tables=tables, rows=rows)


async def _counted(session: Session, change: Change) -> int | None:
    if change.returns_rows:
        count = 0
        async with session.deadline():
            async for _ in raw_cursor(session.connection).stream(change.piece.text.encode()):
                count += 1
        return count
    cursor = await session.plain(change.piece.text, utility=not change.rows)
    return max(cursor.rowcount, 0) if change.rows else None


def _touch(change: Change) -> str:
    tables = ", ".join(map(str, change.tables)) or "no table by name"
    return f"{change.command} on {tables}" + (f": lock {change.lock}" if change.lock else "")
