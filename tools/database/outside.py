"""Whether trying a change out could act beyond a rolled-back transaction: which code it would set off.

tables ─▶ their triggers, rules, defaults, checks, policies ─▶ functions ─▶ tables that those write ─▶ ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from postgast import pg_query_pb2 as pb

from tools.database.catalog import Catalog, Function, read_catalog
from tools.database.changes import Change
from tools.database.guard import builds_sql
from tools.database.reach import Name, Reach, inspect
from tools.database.reviewed import HARMLESS, refused
from tools.database.sqltext import parse_script
from tools.errors import InvalidInput

if TYPE_CHECKING:
    from tools.database.connection import Session

_ROUNDS: Final = 6
_INSIDE: Final = frozenset({"nextval", "pg_notify", "set_config", "currval", "lastval", "pg_current_xact_id"})
"""Functions that are refused to readers, whose effect ends with a rolled-back transaction (or is a gap)."""
_WRITTEN: Final = re.compile(
    r"(?i)\b(?:insert\s+into|update|delete\s+from|merge\s+into|truncate(?:\s+table)?)\s+(?:only\s+)?"
    r'((?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))?)'
)
_TOUCHED: Final = """
with recursive edges (child, parent) as (
  select k.conrelid, k.confrelid from pg_catalog.pg_constraint k
  where k.contype = 'f' and (k.confdeltype in ('c', 'n', 'd') or k.confupdtype in ('c', 'n', 'd'))
  union select i.inhrelid, i.inhparent from pg_catalog.pg_inherits i
  union select d.refobjid, r.ev_class from pg_catalog.pg_rewrite r join pg_catalog.pg_depend d
    on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> r.ev_class),
touched (oid) as (
  select c.oid from unnest(%(schemas)s::text[], %(names)s::text[]) w (schema, name)
  join pg_catalog.pg_class c on c.relname = w.name join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = w.schema or w.schema = '' and n.nspname = any (pg_catalog.current_schemas(true))
  union
  select e.child from touched t join edges e on e.parent = t.oid)
"""
# A trigger's WHEN stands in its definition; expressions are read as the SELECT of them.
_CODE: Final = (
    _TOUCHED
    + """
select 'trigger' as kind, n.nspname::text as schema, p.proname::text as name,
       pg_catalog.pg_get_triggerdef(g.oid) as text
from touched t join pg_catalog.pg_trigger g on g.tgrelid = t.oid
join pg_catalog.pg_proc p on p.oid = g.tgfoid join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where not g.tgisinternal and g.tgenabled <> 'D'
union
select 'foreign', '', c.relname::text, '' from touched t join pg_catalog.pg_class c on c.oid = t.oid
where c.relkind = 'f'
union
select 'rule', '', c.relname::text, '' from touched t join pg_catalog.pg_rewrite r on r.ev_class = t.oid
join pg_catalog.pg_class c on c.oid = t.oid where r.ev_type <> '1'
union
select 'value', '', '', 'SELECT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid)
from touched t join pg_catalog.pg_attrdef d on d.adrelid = t.oid
union
select 'value', '', '', 'SELECT ' || pg_catalog.pg_get_expr(k.conbin, k.conrelid)
from touched t join pg_catalog.pg_constraint k on k.conrelid = t.oid where k.conbin is not null
union
select 'value', '', '', 'SELECT ' || pg_catalog.pg_get_expr(e.part, p.polrelid)
from touched t join pg_catalog.pg_policy p on p.polrelid = t.oid,
lateral (values (p.polqual), (p.polwithcheck)) e (part) where e.part is not null
"""
)
_SEQUENCES: Final = (
    _TOUCHED
    + """
select distinct s.oid::pg_catalog.regclass::text as name
from touched t
left join pg_catalog.pg_attrdef d on d.adrelid = t.oid
join pg_catalog.pg_depend x on x.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and x.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and x.objid = d.oid
join pg_catalog.pg_class s on s.oid = x.refobjid and s.relkind = 'S'
union
select s.oid::pg_catalog.regclass::text from touched t
join pg_catalog.pg_depend x on x.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and x.refobjid = t.oid and x.deptype = 'i' and x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
join pg_catalog.pg_class s on s.oid = x.objid and s.relkind = 'S'
order by 1
"""
)
_EVENT_TRIGGERS: Final = """
select distinct n.nspname::text as schema, p.proname::text as name
from pg_catalog.pg_event_trigger g join pg_catalog.pg_proc p on p.oid = g.evtfoid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where g.evtenabled <> 'D' and (g.evttags is null or g.evttags && %(tags)s::text[])
"""


async def reaches_outside(session: Session, changes: Sequence[Change]) -> str:
    """Why something could reach beyond the transaction, or an empty string."""
    for change in changes:
        if change.runs_code:
            reason = await _called(session, inspect(change.piece.node))
            if reason:
                return f"it calls {reason}"
    written = {table for change in changes if change.rows for table in _written(change)}
    return await _set_off(session, written) or await event_trigger(session, changes)


async def event_trigger(session: Session, changes: Iterable[Change]) -> str:
    """Why an event trigger on these definitions could reach outside, or an empty string."""
    tags = sorted({change.command.replace(" ROLE", "") for change in changes if not change.rows})
    rows = await session.fetch(_EVENT_TRIGGERS, {"tags": tags}) if tags else []
    reason = await _first(session, {Name(row["schema"], row["name"]) for row in rows})
    return f"an event trigger runs {reason}" if reason else ""


async def drawn_sequences(session: Session, changes: Iterable[Change]) -> list[str]:
    """Sequences from which an INSERT or MERGE of the changes draws: a rollback does not put them back."""
    names = {
        name for change in changes if change.command in {"INSERT", "MERGE"} for name in change.tables[:1]
    }
    return [row["name"] for row in await session.fetch(_SEQUENCES, _pairs(names))] if names else []


def _written(change: Change) -> list[Name]:
    """Every table that the statement writes, in WITH as well."""
    return [lock.table for lock in change.locks if lock.mode == "ROW EXCLUSIVE"] or list(change.tables)


async def _set_off(session: Session, written: set[Name]) -> str:
    """Follow writes through triggers and the tables that their bodies write."""
    seen: set[Name] = set()
    for _ in range(_ROUNDS):
        fresh = written - seen
        if not fresh:
            return ""
        seen |= fresh
        triggers: set[Name] = set()
        for row in await session.fetch(_CODE, _pairs(fresh)):
            if row["kind"] in {"foreign", "rule"}:
                what = "is a foreign table" if row["kind"] == "foreign" else "has a rule that rewrites it"
                return f"{row['name']} {what}"
            if row["kind"] == "trigger":
                triggers.add(Name(row["schema"], row["name"]))
            reason = await _expression(session, row["text"])
            if reason:
                return f"a default, check, policy or trigger of its tables calls {reason}"
        functions = await _functions(session, triggers)
        reason = next((why for function in functions if (why := outside(function, trigger=True))), "")
        if reason:
            return f"a trigger runs {reason}"
        written = {name for function in functions for name in _body_writes(function)}
    return "its triggers set off one another too deep to follow"


async def _expression(session: Session, text: str) -> str:
    try:
        (piece,) = parse_script(text)
    except (InvalidInput, ValueError):
        return "something that cannot be read"
    calls = inspect(piece.node)
    if isinstance(piece.node, pb.CreateTrigStmt):
        calls = Reach("when", functions=calls.functions, operators=calls.operators)
    return await _called(session, calls)


async def _called(session: Session, reach: Reach) -> str:
    catalog = await read_catalog(session, reach)
    return next((why for function in _everything(catalog) if (why := outside(function, trigger=False))), "")


async def _functions(session: Session, names: set[Name]) -> list[Function]:
    if not names:
        return []
    catalog = await read_catalog(session, Reach("trigger", functions=frozenset(names)))
    return _everything(catalog)


def _everything(catalog: Catalog) -> list[Function]:
    """Also what runs without being called: CHECKs of domains, casts, policies."""
    return [*catalog.functions.values(), *catalog.ambient.values()]


async def _first(session: Session, names: set[Name]) -> str:
    found = await _functions(session, names)
    return next((why for function in found if (why := outside(function, trigger=True))), "")


def outside(function: Function, *, trigger: bool) -> str:
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


def _body_writes(function: Function) -> Iterable[Name]:
    for found in _WRITTEN.findall(function.body or ""):
        parts = [part.strip() for part in re.findall(r'"[^"]+"|[\w$]+', found)]
        folded = [part[1:-1] if part.startswith('"') else part.lower() for part in parts]
        yield Name(folded[-2] if len(folded) > 1 else None, folded[-1])


def _pairs(names: Iterable[Name]) -> dict[str, Any]:
    ordered = sorted(names, key=str)
    return {"schemas": [name.schema or "" for name in ordered], "names": [name.name for name in ordered]}
