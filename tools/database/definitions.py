"""Catalog queries for the definitions of objects: what a DROP or a replacement would lose."""

from __future__ import annotations

from typing import Final

POLICY: Final = """
select p.polname::text as name, c.oid::pg_catalog.regclass::text as table,
       p.polpermissive as permissive,
       case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE'
            when 'd' then 'DELETE' else 'ALL' end as command,
       array(select case when r = 0 then null else pg_catalog.pg_get_userbyid(r)::text end
             from unnest(p.polroles) r) as roles,
       pg_catalog.pg_get_expr(p.polqual, p.polrelid) as using,
       pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as check,
       pg_catalog.obj_description(p.oid, 'pg_policy') as comment
from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where p.polname = %(part)s and c.relname = %(name)s
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_table_is_visible(c.oid))
"""
FUNCTION: Final = """
select pg_catalog.pg_get_functiondef(p.oid) as definition, p.oid::int8 as oid,
       case p.prokind when 'p' then 'PROCEDURE ' else 'FUNCTION ' end
       || p.oid::pg_catalog.regprocedure as object,
       pg_catalog.pg_get_userbyid(p.proowner)::text as owner, p.proowner::int8 as owner_oid,
       pg_catalog.obj_description(p.oid, 'pg_proc') as comment,
       coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))::text as acl, 'f' as code,
       pg_catalog.oidvectortypes(p.proargtypes) as arguments
from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where p.proname = %(name)s and p.prokind in ('f', 'p')
  and (%(part)s = '' or p.oid = pg_catalog.to_regprocedure(%(part)s))
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_function_is_visible(p.oid))
order by p.oid
"""
VIEW: Final = """
select 'CREATE ' || case c.relkind when 'm' then 'MATERIALIZED ' else '' end || 'VIEW '
       || c.oid::pg_catalog.regclass
       || coalesce(' WITH (' || pg_catalog.array_to_string(c.reloptions, ', ') || ')', '') || ' AS '
       || pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';') as definition,
       c.oid::int8 as oid, c.relkind::text as kind,
       case c.relkind when 'm' then 'MATERIALIZED VIEW ' else 'VIEW ' end
       || c.oid::pg_catalog.regclass as object,
       pg_catalog.pg_get_userbyid(c.relowner)::text as owner, c.relowner::int8 as owner_oid,
       pg_catalog.obj_description(c.oid, 'pg_class') as comment,
       coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))::text as acl, 'r' as code,
       (select count(*)::int from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0) as columns,
       array(select pg_catalog.pg_get_indexdef(i.indexrelid) from pg_catalog.pg_index i
             where i.indrelid = c.oid)
       || array(select pg_catalog.pg_get_triggerdef(t.oid) from pg_catalog.pg_trigger t
                where t.tgrelid = c.oid and not t.tgisinternal) as parts
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm') and c.relname = %(name)s
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_table_is_visible(c.oid))
"""
INDEX: Final = """
select pg_catalog.pg_get_indexdef(c.oid) as definition, 'INDEX ' || c.oid::pg_catalog.regclass as object,
       pg_catalog.obj_description(c.oid, 'pg_class') as comment
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('i', 'I') and c.relname = %(name)s
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_table_is_visible(c.oid))
"""
TRIGGER: Final = """
select pg_catalog.pg_get_triggerdef(t.oid) as definition, c.oid::pg_catalog.regclass::text as table,
       'TRIGGER ' || pg_catalog.quote_ident(t.tgname) || ' ON ' || c.oid::pg_catalog.regclass as object,
       t.tgenabled::text as enabled, pg_catalog.obj_description(t.oid, 'pg_trigger') as comment
from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where t.tgname = %(part)s and c.relname = %(name)s
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_table_is_visible(c.oid))
"""
SEQUENCE: Final = """
select pg_catalog.format(
         'CREATE SEQUENCE %%s AS %%s INCREMENT %%s MINVALUE %%s MAXVALUE %%s START %%s CACHE %%s %%s',
         c.oid::pg_catalog.regclass, pg_catalog.format_type(s.seqtypid, null), s.seqincrement, s.seqmin,
         s.seqmax, s.seqstart, s.seqcache,
         case when s.seqcycle then 'CYCLE' else 'NO CYCLE' end) as definition,
       'SEQUENCE ' || c.oid::pg_catalog.regclass as object, c.oid::int8 as oid,
       pg_catalog.pg_get_userbyid(c.relowner)::text as owner, c.relowner::int8 as owner_oid,
       pg_catalog.obj_description(c.oid, 'pg_class') as comment,
       coalesce(c.relacl, pg_catalog.acldefault('s', c.relowner))::text as acl, 's' as code
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_sequence s on s.seqrelid = c.oid
where c.relname = %(name)s
  and (n.nspname = %(schema)s or %(schema)s = '' and pg_catalog.pg_table_is_visible(c.oid))
"""
GRANTS: Final = """
select coalesce((select pg_catalog.quote_ident(r.rolname) from pg_catalog.pg_roles r where r.oid = a.grantee),
                'PUBLIC') as grantee,
       pg_catalog.string_agg(a.privilege_type, ', ' order by a.privilege_type) as privileges,
       a.is_grantable as grantable
from pg_catalog.aclexplode(%(acl)s::aclitem[]) a where a.grantee <> %(owner)s::oid
group by 1, 3 order by 1
"""
# Who would get rights on a new object by default, and so must lose them first.
BY_DEFAULT: Final = """
select distinct coalesce((select pg_catalog.quote_ident(r.rolname) from pg_catalog.pg_roles r
                          where r.oid = a.grantee), 'PUBLIC') as grantee
from pg_catalog.pg_default_acl d, pg_catalog.aclexplode(d.defaclacl) a
where d.defaclobjtype = case %(code)s when 's' then 'S' else %(code)s end::"char"
  and a.grantee <> d.defaclrole
union select 'PUBLIC' where %(code)s = 'f' order by 1
"""
