"""Trying a change out in a transaction that is rolled back, and the reasons not to.

A rollback undoes rows and definitions. It does not undo what a function did outside (HTTP, dblink, a file),
nor a sequence's step, and locks are really taken; so a rehearsal is refused unless every function and
trigger that could run is known to stay inside, and what would hold a table for long is not tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.sql import SQL, Identifier

from tools.database.changes import Change
from tools.database.connection import Limits
from tools.database.outside import drawn_sequences, reaches_outside
from tools.database.reach import Name
from tools.database.standing import Standing, too_big
from tools.errors import SergeiError

if TYPE_CHECKING:
    from tools.database.connection import Database, Session

MAX_ROWS: Final = 50_000
"""Above this a rehearsal would do the work twice and leave dead rows behind."""
_BRIEF: Final = Limits(statement=10.0, lock=0.5, idle=10.0)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of it: a line per statement, or why there was none, or how it failed.

    `whole` are the tables of which UPDATE or DELETE reached every row; `gaps` sequences that moved.
    """

    lines: tuple[str, ...] = ()
    skipped: str = ""
    failed: str = ""
    whole: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

    def words(self) -> str:
        """For the person who decides."""
        if self.skipped:
            return f"No dry run: {self.skipped}."
        gaps = f" It drew numbers from {', '.join(self.gaps)}: a gap stays." if self.gaps else ""
        if self.failed:
            return f"The dry run FAILED: {self.failed}{gaps}"
        return "Dry run (rolled back): " + "; ".join(self.lines) + "." + gaps


async def rehearse(
    database: Database, changes: Sequence[Change], standing: Mapping[Name, Standing]
) -> Rehearsal:
    """Run the changes with short timeouts and roll them back, when that is safe."""
    reason = next((change.dry for change in changes if change.dry), "")
    if any(change.alone for change in changes):
        reason = "CONCURRENTLY runs outside a transaction, so that nothing could be rolled back"
    defines = any(change.defines_code for change in changes)
    if not reason and len(changes) > 1 and defines and any(change.runs_code for change in changes):
        reason = "the script defines code that its other statements could run"
    reason = reason or too_big(changes, standing)
    if reason:
        return Rehearsal(skipped=reason)
    gaps: list[str] = []
    try:
        async with database.session() as session:
            reason = await reaches_outside(session, changes) or await _too_many(session, changes)
            gaps = await drawn_sequences(session, changes)
        if reason:
            return Rehearsal(skipped=reason)
        async with database.session(read_only=False, keep=False, limits=_BRIEF) as session:
            tried = [
                await _try(session, change, standing, number if len(changes) > 1 else 0)
                for number, change in enumerate(changes, 1)
            ]
            if any(change.rows for change in changes):
                await session.run("SET CONSTRAINTS ALL IMMEDIATE")  # what COMMIT would check
    except SergeiError as error:
        return Rehearsal(failed=str(error), gaps=tuple(gaps))
    whole = tuple(dict.fromkeys(table for _, table in tried if table))
    return Rehearsal(tuple(line for line, _ in tried), whole=whole, gaps=tuple(gaps))


async def _try(
    session: Session, change: Change, standing: Mapping[Name, Standing], number: int
) -> tuple[str, str]:
    """A line about one statement, and the table of which it reached every row (or an empty string)."""
    where = f"statement {number} ({change.command}): " if number else ""
    table = change.tables[0] if change.tables else None
    known = standing.get(table) if table is not None else None
    every = await _count(session, known) if known and change.command in {"UPDATE", "DELETE"} else None
    try:
        cursor = await session.plain(change.piece.text, utility=not change.rows)
    except SergeiError as error:
        raise type(error)(where + error.message, hint=error.hint, code=error.code) from None
    if not change.rows:
        return f"{change.command} works", ""
    count = max(cursor.rowcount, 0)
    said = f"{change.command} affects {count:,} row{'' if count == 1 else 's'}"
    if every is not None and every > 1 and count >= every:
        return f"{said}, ALL that {table} has", str(table)
    return (said if every is None else f"{said} of {every:,}"), ""


async def _count(session: Session, table: Standing) -> int | None:
    """How many rows a small table has now; None for others."""
    if not table.small or table.kind not in "rp":
        return None
    counted = SQL("SELECT count(*) AS n FROM {}").format(Identifier(table.schema_name, table.name))
    rows = await session.fetch(counted)
    return int(rows[0]["n"])


async def _too_many(session: Session, changes: Sequence[Change]) -> str:
    """A word against rehearsing a change of very many rows, by the planner's estimate."""
    for change in changes:
        if not change.rows:
            continue
        await session.run("SAVEPOINT estimate")
        try:
            cursor = await session.plain(f"EXPLAIN (FORMAT JSON) {change.piece.text}")
            row = await cursor.fetchone()
        except SergeiError:
            await session.run("ROLLBACK TO SAVEPOINT estimate")  # it names what an earlier statement makes
            continue
        plan: dict[str, Any] = row["QUERY PLAN"][0]["Plan"] if row else {}
        rows = max(
            [plan.get("Plan Rows", 0), *(child.get("Plan Rows", 0) for child in plan.get("Plans", []))]
        )
        if rows > MAX_ROWS:
            return f"about {rows:,} rows would be written twice"
    return ""
