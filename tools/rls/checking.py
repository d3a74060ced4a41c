"""Ask plpgsql_check, where it is installed, for every error of the PL/pgSQL functions.

    units() ──▶ Asking: SQL texts out, rows or a failure in ──▶ concluded() ──▶ Checked

Many functions are checked by one statement. Where it fails, its halves are tried, so that one function that
cannot be checked costs its own result alone. Nothing is written, and the time for all of them is bounded.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from tools.database.connection import Database, Session
from tools.database.faults import condition
from tools.errors import SergeiError
from tools.rls.bodyerrors import Checked, Row, Unit, concluded
from tools.rls.catalog import CHECKS
from tools.rls.reach import DEFAULT_PATH
from tools.rls.snapshot import PLATFORM_SCHEMAS
from tools.rls.wording import literal, quoted
from tools.sandbox.scratch.session import ScratchSession, SqlFailure

Rows = Mapping[str, list[dict[str, Any]]]
Answer = list[dict[str, Any]] | str
EXTENSION: Final = "plpgsql_check"
BATCH: Final = 200  # checks in one statement
MOST: Final = 5000  # checks of one snapshot
SECONDS: Final = 20.0  # for all of them
STATEMENT: Final = 5.0  # for one statement
LOST: Final = "the server stopped answering while plpgsql_check read functions"


def units(rows: Rows) -> list[Unit]:
    """What there is to check: each function first with one of its tables, then with the others."""
    tables: dict[int, list[Unit]] = {}
    for trigger in rows["triggers"]:
        if not trigger["cloned"]:
            unit = Unit(
                trigger["function"],
                trigger["relation"],
                trigger["old_table"] or "",
                trigger["new_table"] or "",
            )
            if unit not in tables.setdefault(trigger["function"], []):
                tables[trigger["function"]].append(unit)
    first: list[Unit] = []
    others: list[Unit] = []
    for function in rows["functions"]:
        if function["language"] == "plpgsql" and function["schema"] not in PLATFORM_SCHEMAS:
            oid = int(function["oid"])
            own = tables.get(oid, []) if function["returns"] == "trigger" else [Unit(oid)]
            first += own[:1]
            others += own[1:]
    return first + others


class Asking:
    """The statements to run, one after the other, and what they answered."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._units = units(rows)
        self._found: dict[Unit, list[Row] | str] = {}
        some = self._units[:MOST]
        self._waiting = deque(some[at : at + BATCH] for at in range(0, len(some), BATCH))
        self._ends = time.monotonic() + SECONDS
        self._asked = 0

    def statement(self) -> str | None:
        """The next one, or None when all was asked or the time is over."""
        if not self._waiting or time.monotonic() > self._ends:
            return None
        self._asked += 1
        return _statement(self._rows, self._waiting[0])

    def take(self, answer: Answer) -> None:
        """The rows of the statement, or why it failed."""
        batch = self._waiting.popleft()
        if isinstance(answer, str) and len(batch) > 1 and answer != LOST:
            half = len(batch) // 2
            self._waiting.extend([batch[:half], batch[half:]])
        elif isinstance(answer, str):
            self._found |= dict.fromkeys(batch, answer)
        else:
            rows: dict[Unit, list[Row]] = {unit: [] for unit in batch}
            for row in answer:
                rows[batch[row["unit"] - 1]].append(row)
            self._found |= rows
        if answer == LOST:
            self._found |= {unit: LOST for batch in self._waiting for unit in batch}
            self._waiting.clear()

    def result(self) -> Checked:
        """What is known now."""
        hidden = frozenset(row["name"] for row in self._rows["schemas"] if not row["usable"])
        return concluded(self._rows["functions"], self._units, self._found, self._asked, hidden)


async def check_bodies(database: Database, rows: Rows) -> Checked | None:
    """Every error of the PL/pgSQL functions; None where plpgsql_check is not installed.

    A function that cannot be checked becomes a gap, and so does the extension where it may not be called.
    """
    if not rows["server"][0]["checker"]:
        return _unusable(rows)
    work = Asking(rows)
    limits = replace(database.limits, statement=min(STATEMENT, database.limits.statement))
    text = work.statement()
    try:
        async with database.session(limits=limits) as session:
            await session.run("SELECT pg_catalog.set_config('search_path', 'pg_catalog', true)")
            await session.run("SAVEPOINT checked")
            while text is not None:
                work.take(await _answer(session, text))
                text = work.statement()
    except SergeiError:
        # The session itself failed, not a statement in it: the rest of the snapshot is whole all the same.
        if text is not None:
            work.take(LOST)
    return work.result()


async def _answer(session: Session, text: str) -> Answer:
    answer: Answer
    try:
        answer = await (await session.plain(text)).fetchall()
    except SergeiError as failure:
        if not failure.code or failure.code.startswith(("08", "57P")):
            raise
        answer = _why(failure.code)
    # Back to search_path = pg_catalog in either case.
    await session.run("ROLLBACK TO SAVEPOINT checked")
    return answer


def check_here(session: ScratchSession, rows: Rows) -> Checked | None:
    """The same in a session on a scratch copy with search_path = pg_catalog; its settings are undone."""
    if not rows["server"][0]["checker"]:
        return _unusable(rows)
    work = Asking(rows)
    limit = f"set local transaction_read_only = on; set local statement_timeout = {STATEMENT * 1000:.0f}"
    while (text := work.statement()) is not None:
        try:
            with session.savepoint(keep=False):
                session.script(limit)
                work.take(session.dicts(text))
        except SqlFailure as failure:
            work.take(_why(failure.sqlstate))
    return work.result()


def _why(code: str) -> str:
    return f"plpgsql_check did not finish it ({condition(code)}): only our own resolution of names was used"


def _unusable(rows: Rows) -> Checked | None:
    if EXTENSION not in rows["server"][0]["extensions"]:
        return None
    reason = "the connected role may not call it, or it is too old: function bodies were read without it"
    return Checked(gaps=((EXTENSION, reason),))


def _statement(rows: Rows, batch: Sequence[Unit]) -> str:
    """CHECKS for some units. Only numbers, and names that are quoted, go into it."""
    others = sorted(row["name"] for row in rows["schemas"] if row["name"] not in DEFAULT_PATH)
    return CHECKS.format(
        checker=quoted(rows["server"][0]["checker"]),
        functions=",".join(str(unit.function) for unit in batch),
        relations=",".join(str(unit.relation) for unit in batch),
        old_tables=",".join(literal(unit.old_table) for unit in batch),
        new_tables=",".join(literal(unit.new_table) for unit in batch),
        usual=literal("".join(f"{_entry(name)}, " for name in DEFAULT_PATH)),
        others=literal("".join(f", {_entry(name)}" for name in others)),
    )


def _entry(schema: str) -> str:
    return '"' + schema.replace('"', '""') + '"'
