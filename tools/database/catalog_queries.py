"""What the guard asks the catalog: relations, functions and named types, with the code behind them.

Object ids below 16384 belong to PostgreSQL itself. Names without a schema are looked up in every schema of
the session's search_path and of every function's own `SET search_path` that was met (`paths`).
"""

from __future__ import annotations

from typing import Final, LiteralString

_BELOW: Final = """
  union
  select x.oid from t cross join lateral (
    select y.typelem from pg_catalog.pg_type y where y.oid = t.oid and y.typelem <> 0
    union all select y.typbasetype from pg_catalog.pg_type y where y.oid = t.oid and y.typbasetype <> 0
    union all select a.atttypid from pg_catalog.pg_type y
      join pg_catalog.pg_attribute a on a.attrelid = y.typrelid and a.attnum > 0 and not a.attisdropped
      where y.oid = t.oid
    union all select r.rngsubtype from pg_catalog.pg_range r where t.oid in (r.rngtypid, r.rngmultitypid)
  ) x (oid) where x.oid >= 16384)
"""
_CHECKS: Final = """
  select pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(k.oid), ' ; ')
  from t join pg_catalog.pg_constraint k on k.contypid = t.oid
"""


def _with_checks(sql: LiteralString) -> LiteralString:
    """The query, with the part that finds the CHECKs of every domain below the types it begins with."""
    return sql.replace("BELOW CHECKS", _BELOW + _CHECKS)


RELATIONS: Final = _with_checks("""
select c.oid::int8 as oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
       exists (select from pg_catalog.pg_depend d
               where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid
                 and d.deptype = 'e') as extension,
       case when c.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
            then pg_catalog.pg_get_viewdef(c.oid) end as definition,
       case when c.relrowsecurity and (%(others)s or pg_catalog.row_security_active(c.oid))
            then (select pg_catalog.string_agg(pg_catalog.pg_get_expr(p.polqual, p.polrelid), ' ; ')
                  from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polcmd in ('r', '*')) end
         as policies,
       case when c.oid >= 16384 then (with recursive t (oid) as (select c.reltypeBELOW CHECKS) end as checks,
       case when c.oid >= 16384 then (
            select pg_catalog.string_agg(pg_catalog.pg_get_expr(e.adbin, e.adrelid), ' ; ')
            from pg_catalog.pg_attribute a
            join pg_catalog.pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
            where a.attrelid = c.oid and a.attgenerated = 'v') end as generated,
       case when c.relhassubclass then (
            with recursive m (oid) as (
              select c.oid
              union
              select i.inhrelid from m join pg_catalog.pg_inherits i on i.inhparent = m.oid)
            select (select count(*) from m)::int
                   + (select count(*) from m join pg_catalog.pg_index x on x.indrelid = m.oid)::int)
            else 1 end as locks
from (select distinct * from unnest(%(schemas)s::text[], %(names)s::text[]) as w (schema, name)) w
join pg_catalog.pg_class c on c.relname = w.name
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f', 't', 'S')
  and (n.nspname = w.schema
       or w.schema = '' and n.nspname = any (pg_catalog.current_schemas(true) || %(paths)s::text[]))
""")

# A function is reached by its name (`t.f` calls f(t), too), by an operator of any schema (the planner may
# turn one into its negator or commutator), as a part of an aggregate; and, whatever a statement says, as a
# cast that applies by itself or as what orders and hashes the values of a type.
FUNCTIONS: Final = _with_checks("""
with wanted as (select distinct * from unnest(%(schemas)s::text[], %(names)s::text[]) as w (schema, name)),
named as (
  select p.oid from wanted w join pg_catalog.pg_proc p on p.proname = w.name
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where n.nspname = w.schema
     or w.schema = '' and n.nspname = any (pg_catalog.current_schemas(true) || %(paths)s::text[])),
reached as (
  select oid from named
  union
  select f.oid from pg_catalog.pg_operator o
  left join pg_catalog.pg_operator twin on twin.oid in (o.oprnegate, o.oprcom)
  cross join lateral (values (o.oprcode::oid), (twin.oprcode::oid)) f (oid)
  where o.oprname = any (%(operators)s::text[]) and o.oid >= 16384
  union
  select a.part from pg_catalog.pg_aggregate x
  cross join lateral unnest(array[x.aggtransfn, x.aggfinalfn, x.aggcombinefn, x.aggmtransfn, x.aggminvtransfn,
                                  x.aggmfinalfn]::oid[]) a (part)
  where x.aggfnoid::oid in (select oid from named) and x.aggfnoid::oid >= 16384 and a.part <> 0
  union
  select p.oid from (
    select castfunc from pg_catalog.pg_cast
    union select amproc::oid from pg_catalog.pg_amproc
    union select rngsubdiff::oid from pg_catalog.pg_range) s (oid)
  join pg_catalog.pg_proc p on p.oid = s.oid
  where %(anywhere)s and s.oid >= 16384
    and (p.provolatile = 'v' or not exists (
         select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
            and d.objid = p.oid and d.deptype = 'e'))
)
select p.oid::int8 as oid, n.nspname::text as schema, p.proname::text as name,
       p.provolatile::text as volatility, l.lanname::text as language,
       exists (select from pg_catalog.pg_depend d
               where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid
                 and d.deptype = 'e') as extension,
       case when l.lanname in ('sql', 'plpgsql') and p.oid >= 16384 and p.prokind in ('f', 'p', 'w')
            then case when p.proconfig::text ~ 'standard_conforming_strings|backslash_quote'
                      then 'execute' -- its quotes would not end where our scanner thinks
                      else coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) end end as body,
       case when p.oid >= 16384 then pg_catalog.pg_get_expr(p.proargdefaults, 0) end as defaults,
       p.prokind = 'a' as aggregate,
       (select pg_catalog.replace(pg_catalog.substr(s, 13), '"$user"',
                                  pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(p.proowner)))
        from unnest(p.proconfig) s where s like 'search_path=%%') as path,
       case when p.oid >= 16384 then (with recursive t (oid) as (
            select u.oid
            from unnest(p.proargtypes::oid[] || p.prorettype || coalesce(p.proallargtypes, '{}')) u (oid)
            where u.oid >= 16384BELOW CHECKS) end as checks
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where p.oid in (select oid from reached)
""")

TYPES: Final = _with_checks("""
with recursive t (oid) as (
  select y.oid from pg_catalog.pg_type y
  where y.oid >= 16384 and y.typname = any (%(types)s::text[])BELOW CHECKS""")

NOTHING: Final = "select where false"
ROOM: Final = """
select (pg_catalog.current_setting('max_locks_per_transaction')::int
        * pg_catalog.current_setting('max_connections')::int / 2) as room
"""
SETTINGS: Final = """
select name, setting from pg_catalog.pg_settings
where setting <> '' and name ~* 'passw|secret|token|conninfo|command|_key$'
"""
