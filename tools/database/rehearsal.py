"""Trying a change out in a transaction that is rolled back, and the reasons not to.

A rollback undoes rows and definitions. It does not undo what a function did outside (HTTP, dblink, a file),
nor a sequence's step, and locks are really taken; so a rehearsal is refused unless every function and
trigger that could run is known to stay inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tools.database.catalog import Catalog, Function, read_catalog
from tools.database.changes import Change
from tools.database.connection import Limits
from tools.database.guard import builds_sql
from tools.database.reach import Name, Reach, inspect
from tools.database.reviewed import HARMLESS, refused
from tools.errors import SergeiError

if TYPE_CHECKING:
    from tools.database.connection import Database, Session

MAX_ROWS: Final = 50_000
"""Above this a rehearsal would do the work twice and leave dead rows behind."""
_INSIDE: Final = frozenset({"nextval", "pg_notify", "set_config", "currval", "lastval", "pg_current_xact_id"})
"""Functions that are refused to readers, whose effect ends with a rolled-back transaction (or is a gap)."""
_TRIGGERS: Final = """
with recursive edges (child, parent) as (
  select k.conrelid, k.confrelid from pg_catalog.pg_constraint k
  where k.contype = 'f' and (k.confdeltype in ('c', 'n', 'd') or k.confupdtype in ('c', 'n', 'd'))
  union select i.inhrelid, i.inhparent from pg_catalog.pg_inherits i),
touched (oid) as (
  select c.oid from unnest(%(schemas)s::text[], %(names)s::text[]) w (schema, name)
  join pg_catalog.pg_class c on c.relname = w.name join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = w.schema or w.schema = '' and n.nspname = any (pg_catalog.current_schemas(true))
  union
  select e.child from touched t join edges e on e.parent = t.oid)
select distinct n.nspname::text as schema, p.proname::text as name
from touched t join pg_catalog.pg_trigger g on g.tgrelid = t.oid
join pg_catalog.pg_proc p on p.oid = g.tgfoid join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where not g.tgisinternal and g.tgenabled <> 'D'
"""
_EVENT_TRIGGERS: Final = """
select distinct n.nspname::text as schema, p.proname::text as name
from pg_catalog.pg_event_trigger g join pg_catalog.pg_proc p on p.oid = g.evtfoid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where g.evtenabled <> 'D' and (g.evttags is null or g.evttags && %(tags)s::text[])
"""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of it: a line per statement, or why there was none, or how it failed."""

    lines: tuple[str, ...] = ()
    skipped: str = ""
    failed: str = ""

    def words(self) -> str:
        """For the person who decides."""
        if self.skipped:
            return f"No dry run: {self.skipped}."
        if self.failed:
            return f"The dry run FAILED: {self.failed}"
        return "Dry run (rolled back): " + "; ".join(self.lines) + "."


async def rehearse(database: Database, changes: Sequence[Change]) -> Rehearsal:
    """Run the changes with short timeouts and roll them back, when that is safe."""
    reason = next((change.dry for change in changes if change.dry), "")
    if not reason and len(changes) > 1 and any(change.defines_code for change in changes):
        reason = "the script defines code that its other statements could run"
    if reason:
        return Rehearsal(skipped=reason)
    try:
        async with database.session() as session:
            reason = await _unsafe(session, changes) or await _too_many(session, changes)
        if reason:
            return Rehearsal(skipped=reason)
        brief = Limits(statement=10.0, lock=0.5, idle=10.0)
        async with database.session(read_only=False, keep=False, limits=brief) as session:
            return Rehearsal(lines=tuple([await _try(session, change) for change in changes]))
    except SergeiError as error:
        return Rehearsal(failed=str(error))


async def _try(session: Session, change: Change) -> str:
    cursor = await session.plain(change.piece.text, utility=not change.rows)
    if change.rows:
        count = max(cursor.rowcount, 0)
        return f"{change.command} affects {count:,} row{'' if count == 1 else 's'}"
    return f"{change.command} works"


async def _unsafe(session: Session, changes: Sequence[Change]) -> str:
    """Why something could reach outside of the transaction, or an empty string."""
    rows = [change for change in changes if change.rows]
    if rows:
        tables = sorted({table for change in rows for table in change.tables}, key=str)
        values = {
            "schemas": [table.schema or "" for table in tables],
            "names": [table.name for table in tables],
        }
        triggers = await _code(session, await session.fetch(_TRIGGERS, values))
        reason = next((f"a trigger runs {why}" for f in triggers if (why := _outside(f, trigger=True))), "")
        if reason:
            return reason
        for change in rows:
            catalog = await read_catalog(session, inspect(change.piece.node))
            reason = next(
                (why for f in catalog.functions.values() if (why := _outside(f, trigger=False))), ""
            )
            if reason:
                return f"it calls {reason}"
    definitions = [change.command for change in changes if not change.rows]
    if definitions:
        events = await _code(session, await session.fetch(_EVENT_TRIGGERS, {"tags": definitions}))
        return next(
            (f"an event trigger runs {why}" for f in events if (why := _outside(f, trigger=True))), ""
        )
    return ""


async def _code(session: Session, named: list[dict[str, Any]]) -> list[Function]:
    names = frozenset(Name(row["schema"], row["name"]) for row in named)
    if not names:
        return []
    catalog: Catalog = await read_catalog(session, Reach("trigger", functions=names))
    return list(catalog.functions.values())


def _outside(function: Function, *, trigger: bool) -> str:
    """How a function could act beyond the transaction, in words after "runs" or "calls"."""
    if function.builtin or function.extension or function.language in {"c", "internal"}:
        if function.name in _INSIDE or function.name in HARMLESS:
            return ""
        why = refused(function.name)
        if why:
            return f"{function}(), which {why}"
        own = function.builtin and function.name.startswith(("RI_", "tsvector_"))
        return "" if own or function.volatility != "v" else f"{function}(), whose effects are not known"
    if function.language not in {"sql", "plpgsql"}:
        return f"{function}(), written in {function.language}"
    if builds_sql(function):
        return f"{function}(), which builds SQL at run time"
    return f"{function}(), which is VOLATILE" if not trigger and function.volatility == "v" else ""


async def _too_many(session: Session, changes: Sequence[Change]) -> str:
    """A word against rehearsing a change of very many rows, by the planner's estimate."""
    for change in changes:
        if not change.rows:
            continue
        try:
            await session.run("SAVEPOINT estimate")
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
