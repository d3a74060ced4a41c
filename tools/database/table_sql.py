"""Catalog queries about one relation, %(oid)s. Names print qualified: search_path is pg_catalog."""

from __future__ import annotations

from typing import Final

FACTS: Final = """
select case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
            when 'm' then 'materialized view' else 'foreign table' end
         || case when c.relispartition then ', partition of ' || (
              select i.inhparent::regclass::text from pg_inherits i where i.inhrelid = c.oid)
            else '' end as kind,
       pg_get_userbyid(c.relowner)::text as owner,
       case when c.relkind in ('r', 'p') then c.relrowsecurity end as rls,
       case when c.relkind in ('r', 'p') then c.relforcerowsecurity end as rls_forced,
       case when c.relkind in ('r', 'm') then greatest(c.reltuples, 0)::int8
            when c.relkind = 'p' then (
              select coalesce(sum(greatest(l.reltuples, 0)), 0)::int8
              from pg_partition_tree(c.oid) t join pg_class l on l.oid = t.relid where t.isleaf) end as rows,
       case when c.relkind in ('r', 'm') then pg_total_relation_size(c.oid)
            when c.relkind = 'p' then (
              select coalesce(sum(pg_total_relation_size(t.relid)), 0)::int8 from pg_partition_tree(c.oid) t)
       end as bytes,
       obj_description(c.oid, 'pg_class') as comment,
       case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid, true)
            when c.relkind = 'p' then 'PARTITION BY ' || pg_get_partkeydef(c.oid) end as definition,
       array_to_string(c.reloptions, ', ') as options
from pg_class c where c.oid = %(oid)s::oid
"""
COLUMNS: Final = """
select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
       not a.attnotnull as nullable,
       case when a.attidentity <> '' then
              'GENERATED ' || case a.attidentity when 'a' then 'ALWAYS' else 'BY DEFAULT' end
              || ' AS IDENTITY'
            when a.attgenerated <> '' then 'GENERATED AS ' || pg_get_expr(d.adbin, d.adrelid)
            else pg_get_expr(d.adbin, d.adrelid) end as default,
       col_description(a.attrelid, a.attnum) as comment
from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = %(oid)s::oid and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
CONSTRAINTS: Final = """
select conname::text as name,
       pg_get_constraintdef(oid, true) || case when convalidated then '' else ' NOT VALID' end as definition
from pg_constraint where conrelid = %(oid)s::oid and contype <> 'n'
order by array_position('{p,u,f,c,x,t}'::"char"[], contype), conname
"""
REFERRING: Final = """
select conrelid::regclass::text as name, pg_get_constraintdef(oid, true) as definition
from pg_constraint where confrelid = %(oid)s::oid and contype = 'f' and conparentid = 0
order by 1, 2 limit 100
"""
INDEXES: Final = """
select i.relname::text as name, pg_get_indexdef(x.indexrelid) as definition,
       u.bytes, u.scans, x.indisvalid as valid
from pg_index x join pg_class i on i.oid = x.indexrelid
cross join lateral (
  -- An index of a partitioned table is empty itself; pg_partition_tree is one row for a plain index.
  select coalesce(sum(pg_relation_size(t.relid)), 0)::bigint as bytes,
         coalesce(sum(s.idx_scan), 0)::bigint as scans
  from (select relid from pg_partition_tree(x.indexrelid) union select x.indexrelid) t
  left join pg_stat_all_indexes s on s.indexrelid = t.relid) u
where x.indrelid = %(oid)s::oid order by x.indisprimary desc, 1
"""
TRIGGERS: Final = """
select tgname::text as name,
       pg_get_triggerdef(oid, true) || case tgenabled when 'D' then ' (DISABLED)' else '' end as definition
from pg_trigger where tgrelid = %(oid)s::oid and not tgisinternal order by 1
"""
GRANTS: Final = """
select grants.role, array_agg(distinct grants.privilege order by grants.privilege) as privileges,
       grants.columns
from (
  select case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee)::text end as role,
         a.privilege_type || case when a.is_grantable then '*' else '' end as privilege, '' as columns
  from pg_class c cross join aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
  where c.oid = %(oid)s::oid
  union all
  select b.role, b.privilege, string_agg(b.column, ', ' order by b.column)
  from (
    select case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee)::text end as role,
           a.privilege_type as privilege, t.attname::text as column
    from pg_attribute t cross join aclexplode(t.attacl) a
    where t.attrelid = %(oid)s::oid and not t.attisdropped) b
  group by 1, 2) grants
group by grants.role, grants.columns order by 1, 3
"""
PARTITIONS: Final = """
select i.inhrelid::regclass::text as name, pg_get_expr(c.relpartbound, c.oid)
         || case when c.relrowsecurity then '' else ' (RLS OFF)' end as definition
from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = %(oid)s::oid and c.relispartition order by 1
"""
