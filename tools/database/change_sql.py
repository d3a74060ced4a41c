"""The tool change_sql."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tools.database.alone import require_alone, require_direct, run_alone
from tools.database.anchor import named, require_expected, require_same, server_of
from tools.database.briefing import brief
from tools.database.cells import raw_cursor
from tools.database.changes import Change, read_change
from tools.database.connection import Limits, Session
from tools.database.lines import counting, first_lines
from tools.database.rehearsal import rehearse
from tools.database.sqltext import parse_script
from tools.database.standing import read_standing
from tools.database.undo import undo
from tools.errors import InvalidInput, Refused, SergeiError
from tools.registry import Effect, Facts, Params, Preview, Result, digest, tool
from tools.resources import Resources

_MAX_STATEMENTS: Final = 500
_LOCK, _STATEMENT = 3.0, 60.0
_LOCK_ALONE, _STATEMENT_ALONE = 600.0, 3600.0
"""CONCURRENTLY waits for older transactions and blocks nobody meanwhile."""

_EVERY_ROW: Final = " every row"


class ChangeSql(Params):
    """Arguments of change_sql."""

    sql: str = Field(
        description="One statement or a script. It runs as one transaction: all of it or nothing."
    )
    expect_target: str | None = Field(
        default=None,
        description="The database that is meant: its label, name, name@environment or project ref."
        " Anything else is refused.",
    )
    lock_timeout_seconds: float | None = Field(
        default=None, gt=0, le=3600, description="How long to wait for a lock: 3, CONCURRENTLY 600."
    )
    timeout_seconds: float | None = Field(
        default=None, gt=0, le=86_400, description="How long a statement may run: 60, CONCURRENTLY 3600."
    )


class Done(BaseModel):
    """One statement that ran. `tag` is PostgreSQL's, `rows` None where rows do not apply."""

    model_config = ConfigDict(frozen=True)

    command: str
    tables: tuple[str, ...]
    rows: int | None = None
    tag: str = ""


class Changed(Result):
    """The statements that were committed together. No row values; of notices only how many there were."""

    target: str
    statements: tuple[Done, ...]
    notices: int = 0

    def audit_facts(self) -> Facts:
        """Rows that were touched, and the tables."""
        counted = [done.rows for done in self.statements if done.rows is not None]
        tables = tuple(dict.fromkeys(table for done in self.statements for table in done.tables))
        return Facts(rows=sum(counted) if counted else None, tables=tables)

    def markdown(self) -> str:
        """A line per statement."""
        lines = [
            f"- {done.command} {', '.join(done.tables)}".rstrip()
            + ("" if done.rows is None else f": {done.rows:,} row{'' if done.rows == 1 else 's'}")
            for done in self.statements
        ]
        said = f"{self.notices} notices (not shown: they may quote values)." if self.notices else ""
        return "\n".join([f"Committed in {self.target}:", *lines, said]).rstrip()


async def preview(params: ChangeSql, resources: Resources) -> Preview:
    """What a person sees: the exact SQL, target and login, locks, a dry run when safe, the way back.

    Asked again without a dry run (the gate does so before it runs), it says the same or raises Conflict.
    Sizes and counts are evidence: they move from second to second, and a yes is not bound to them.
    """
    database, changes = resources.database, _changes(params.sql)
    require_expected(database, params.expect_target)
    identity, key = await database.identity(), digest(change_sql.name, params)
    async with database.session() as session:
        if resources.dry_runs:
            database.seen[key] = await server_of(session)
        await require_same(session, database.seen.get(key))
        standing = await read_standing(session, changes)
        told = await brief(session, changes, standing, first_lines(params.sql, changes))
    evidence = ""
    if resources.dry_runs:
        rehearsal = await rehearse(database, changes, standing)
        database.seen[key + _EVERY_ROW] = rehearsal.whole
        evidence = " ".join([rehearsal.words(), *told.sizes])
    whole = database.seen.get(key + _EVERY_ROW, ())
    said = [f"Every row of {table} is reached, as the dry run counted." for table in whole]
    return Preview(
        action=params.sql,
        target=named(database.target, identity.login),
        touches=told.touches,
        consequence=" ".join(dict.fromkeys([*said, *told.consequences])),
        undo=await undo(database, changes),
        evidence=evidence,
        destructive=bool(whole) or any(change.destructive for change in changes),
    )


@tool(Effect.WRITE, preview=preview)
async def change_sql(params: ChangeSql, resources: Resources) -> Changed:
    """Change data or structure with SQL, after a person has seen exactly what will run and said yes.

    One statement or a script, in one transaction with a lock timeout; CREATE INDEX, DROP INDEX and REINDEX
    CONCURRENTLY only in a call of their own. Say what it does before you call it. RETURNING and SELECT show
    no rows. VACUUM and transaction control are refused. Never for reading: that is execute_sql.
    """
    database, changes = resources.database, _changes(params.sql)
    require_expected(database, params.expect_target)
    seen, notices = database.seen.get(digest(change_sql.name, params)), list[str]()
    alone = changes[0].alone
    limits = Limits(
        statement=params.timeout_seconds or (_STATEMENT_ALONE if alone else _STATEMENT),
        lock=params.lock_timeout_seconds or (_LOCK_ALONE if alone else _LOCK),
        idle=30.0,
    )
    if alone:
        async with database.alone(limits) as session:
            require_direct(session)
            await require_same(session, seen)
            where = await _qualified(session, changes)
            with counting(session, notices):
                tag = await run_alone(session, changes[0])
        done = [Done(command=changes[0].command, tables=where[0], tag=tag)]
    else:
        lines = first_lines(params.sql, changes)
        async with database.session(read_only=False, limits=limits) as session:
            await require_same(session, seen)
            where = await _qualified(session, changes)
            with counting(session, notices):
                done = [
                    Done(command=change.command, tables=tables, rows=rows, tag=tag)
                    for number, (change, tables) in enumerate(zip(changes, where, strict=True), 1)
                    for rows, tag in [await _run(session, change, number, len(changes), lines[number - 1])]
                ]
    return Changed(target=database.target.label, statements=tuple(done), notices=len(notices))


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
    require_alone(changes)
    return changes


async def _run(
    session: Session, change: Change, number: int, count: int, line: int
) -> tuple[int | None, str]:
    """Run one statement: its rows and its tag. Raises its error with the number and line of the statement."""
    try:
        return await _counted(session, change)
    except SergeiError as error:
        where = (
            f"Statement {number} of {count} ({change.command}, line {line})" if count > 1 else change.command
        )
        told = f"{where} failed and nothing was changed. {error.message}"
        raise type(error)(told, hint=error.hint, code=error.code) from None


async def _counted(session: Session, change: Change) -> tuple[int | None, str]:
    if change.returns_rows:
        count = 0
        cursor = raw_cursor(session.connection)
        async with session.deadline():
            async for _ in cursor.stream(change.piece.text.encode()):
                count += 1
        return count, f"{change.command} {count}"
    ran = await session.plain(change.piece.text, utility=not change.rows)
    return (max(ran.rowcount, 0) if change.rows else None), ran.statusmessage or change.command


async def _qualified(session: Session, changes: list[Change]) -> list[tuple[str, ...]]:
    """The tables of each statement with their schema; as they are written where they do not exist yet."""
    known = await read_standing(session, changes)
    named = {name: f"{found.schema_name}.{found.name}" for name, found in known.items()}
    return [tuple(named.get(name, str(name)) for name in change.tables) for change in changes]
