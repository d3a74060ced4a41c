"""What a DROP ... CASCADE takes along, from pg_depend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from postgast import pg_query_pb2 as pb

from tools.database.altering import actions
from tools.database.dropping import dropped_kind, names_dropped
from tools.database.locks import range_name
from tools.database.reach import Name, name_of

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from tools.database.connection import Session

_SHOWN: Final = 25
_DEPENDENTS: Final = """
with recursive wanted as (
  select * from unnest(%(schemas)s::text[], %(names)s::text[], %(columns)s::text[]) w (schema, name, part)),
-- A view goes with its rule: pg_depend has that pair the other way round.
edges as (
  select d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid from pg_catalog.pg_depend d
  where d.deptype in ('n', 'a', 'i', 'e', 'P', 'S')
  union all
  select 'pg_catalog.pg_class'::pg_catalog.regclass::oid, r.ev_class, 0,
         'pg_catalog.pg_rewrite'::pg_catalog.regclass::oid, r.oid, 0
  from pg_catalog.pg_rewrite r where r.ev_type = '1'),
roots (classid, objid, objsubid) as (
  select 'pg_catalog.pg_class'::pg_catalog.regclass::oid, c.oid, coalesce(a.attnum::int, 0)
  from wanted w join pg_catalog.pg_class c on c.relname = w.name
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = w.part
  where %(kind)s = 'relation' and (w.part = '' or a.attnum is not null)
    and (n.nspname = w.schema or w.schema = '' and pg_catalog.pg_table_is_visible(c.oid))
  union all
  select 'pg_catalog.pg_namespace'::pg_catalog.regclass::oid, n.oid, 0
  from wanted w join pg_catalog.pg_namespace n on n.nspname = w.name where %(kind)s = 'SCHEMA'
  union all
  select 'pg_catalog.pg_type'::pg_catalog.regclass::oid, t.oid, 0
  from wanted w join pg_catalog.pg_type t on t.typname = w.name
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  where %(kind)s = 'type'
    and (n.nspname = w.schema or w.schema = '' and pg_catalog.pg_type_is_visible(t.oid))
  union all
  select 'pg_catalog.pg_proc'::pg_catalog.regclass::oid, p.oid, 0
  from wanted w join pg_catalog.pg_proc p on p.proname = w.name
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where %(kind)s = 'function'
    and (n.nspname = w.schema or w.schema = '' and pg_catalog.pg_function_is_visible(p.oid))
  union all
  select 'pg_catalog.pg_extension'::pg_catalog.regclass::oid, e.oid, 0
  from wanted w join pg_catalog.pg_extension e on e.extname = w.name where %(kind)s = 'EXTENSION'),
gone (classid, objid, objsubid) as (
  select * from roots
  union
  select e.classid, e.objid, e.objsubid from gone g
  join edges e on e.refclassid = g.classid and e.refobjid = g.objid
    and (g.objsubid = 0 or e.refobjsubid = g.objsubid)),
named as (
  select case when g.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
              then 'pg_catalog.pg_class'::pg_catalog.regclass::oid else g.classid end as classid,
         coalesce(r.ev_class, g.objid) as objid,
         case when r.oid is null then g.objsubid else 0 end as objsubid
  from gone g
  left join pg_catalog.pg_rewrite r
    on g.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and r.oid = g.objid)
select distinct pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) as what
from named d left join pg_catalog.pg_class c
  on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and c.oid = d.objid
left join pg_catalog.pg_constraint k
  on d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and k.oid = d.objid
left join pg_catalog.pg_trigger t
  on d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass and t.oid = d.objid
left join pg_catalog.pg_type y
  on d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and y.oid = d.objid
where not exists (
    select from roots r where (r.classid, r.objid, r.objsubid) = (d.classid, d.objid, d.objsubid))
  and d.classid <> all (array['pg_catalog.pg_attrdef', 'pg_catalog.pg_default_acl']::pg_catalog.regclass[])
  and (c.oid is null or c.relkind not in ('t', 'i', 'I', 'c')) and (t.oid is null or not t.tgisinternal)
  and (y.oid is null or y.typtype in ('d', 'e'))
  and (k.oid is null or k.contype = 'f' and not exists (
       select from roots r where r.objid = k.conrelid and r.objsubid = 0))
order by 1
"""


async def cascade(session: Session, node: Message) -> str:
    """A sentence that names what goes along with a CASCADE; empty when nothing does or it is none."""
    kind, names = _roots(node)
    if not names:
        return ""
    values: dict[str, Any] = {
        "kind": kind,
        "schemas": [name.schema or "" for name, _ in names],
        "names": [name.name for name, _ in names],
        "columns": [column for _, column in names],
    }
    found = [row["what"] for row in await session.fetch(_DEPENDENTS, values) if row["what"]]
    if not found:
        return "CASCADE takes nothing else along."
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"CASCADE also drops {len(found)}: {'; '.join(found[:_SHOWN])}{more}."


def _roots(node: Message) -> tuple[str, list[tuple[Name, str]]]:
    if isinstance(node, pb.AlterTableStmt):
        table = range_name(node.relation)
        dropped = [
            command.name
            for command in actions(node)
            if command.subtype == pb.AT_DropColumn and command.behavior == pb.DROP_CASCADE
        ]
        return "relation", [(table, column) for column in dropped]
    if not isinstance(node, pb.DropStmt) or node.behavior != pb.DROP_CASCADE:
        return "", []
    kind = dropped_kind(node)
    grouped = {"TYPE": "type", "DOMAIN": "type", "FUNCTION": "function", "PROCEDURE": "function"}
    relations = {"TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE", "INDEX"}
    known = "relation" if kind in relations else grouped.get(kind, kind)
    return known, [(name_of(parts), "") for parts in names_dropped(node)]
