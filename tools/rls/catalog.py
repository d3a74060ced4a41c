"""The catalog queries of a snapshot: a fixed number of them, in set form, for one round trip.

They are run with search_path = pg_catalog, so that pg_get_expr and pg_get_viewdef print every other name
qualified. Members of extensions are left out with an anti-join on pg_depend (deptype 'e'). Privileges are
read as ACL text and resolved per role in Python: has_table_privilege over every pair would be quadratic.
"""

from __future__ import annotations

from typing import Final, LiteralString

SERVER: Final = """
select current_setting('server_version_num')::int as version,
       current_user::text as reader,
       coalesce((select rolsuper from pg_roles where rolname = current_user), false) as superuser,
       array(select extname::text from pg_extension order by 1) as extensions,
       array(
         select n.nspname::text
         from pg_extension e
         join pg_namespace n on n.oid = e.extnamespace
         order by e.extname::text
       ) as extension_schemas,
       array(select extname::text from pg_extension where extrelocatable order by 1) as relocatable,
       coalesce(has_table_privilege(to_regclass('storage.buckets'), 'select'), false) as buckets,
       -- The schema of plpgsql_check where it can be called: 'oldtable' tells its older versions apart.
       (
         select n.nspname::text
         from pg_extension e
         join pg_depend d on d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid
                         and d.classid = 'pg_proc'::regclass and d.deptype = 'e'
         join pg_proc f on f.oid = d.objid
         join pg_namespace n on n.oid = f.pronamespace
         where e.extname = 'plpgsql_check' and f.proname = 'plpgsql_check_function_tb'
           and f.proargtypes[0] = 'regprocedure'::regtype and 'oldtable' = any (f.proargnames)
           and has_schema_privilege(n.oid, 'usage') and has_function_privilege(f.oid, 'execute')
       ) as checker
"""

ROLES: Final = """
select r.oid::bigint as oid, r.rolname::text as name, r.rolsuper as superuser, r.rolbypassrls as bypassrls,
       r.rolcanlogin as login,
       array(
         select m.roleid::bigint from pg_auth_members m
         -- inherit_option exists since PostgreSQL 16; before that the member's own rolinherit decided.
         where m.member = r.oid
           and coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit)
       ) as inherits,
       array(
         select m.roleid::bigint from pg_auth_members m
         -- set_option exists since PostgreSQL 16; before that every member could SET ROLE.
         where m.member = r.oid and coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
       ) as settable
from pg_roles r
-- Logins of scratch copies come and go, and are nobody's business unless they own something here.
where r.rolname !~ '^sergei_scratch_' or exists (
  select from pg_shdepend d
  where d.refclassid = 'pg_authid'::regclass and d.refobjid = r.oid and d.deptype = 'o'
    and d.dbid = (select oid from pg_database where datname = current_database()))
"""

SCHEMAS: Final = """
select n.oid::bigint as oid, n.nspname::text as name, n.nspowner::bigint as owner,
       coalesce(n.nspacl, acldefault('n', n.nspowner))::text[] as acl,
       has_schema_privilege(n.oid, 'usage') as usable
from pg_namespace n
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""

RELATIONS: Final = """
select c.oid::bigint as oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
       c.relowner::bigint as owner, c.relrowsecurity as rls, c.relforcerowsecurity as forced,
       c.relispartition as partition, c.reltuples::float8 as tuples,
       coalesce(c.relacl, acldefault('r', c.relowner))::text[] as acl,
       coalesce(c.reloptions, '{}') as options,
       array(select i.inhparent::bigint from pg_inherits i where i.inhrelid = c.oid) as parents,
       case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end as definition,
       case when c.relkind = 'v' then pg_relation_is_updatable(c.oid, false) else 0 end as updatable,
       case when c.relrowsecurity then array[
         pg_stat_get_numscans(c.oid), pg_stat_get_tuples_returned(c.oid),
         coalesce((
           select sum(pg_stat_get_numscans(x.indexrelid))::bigint from pg_index x where x.indrelid = c.oid
         ), 0),
         pg_stat_get_live_tuples(c.oid)
       ] end as scans
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  -- pgmq adds each queue's table to the extension; it belongs to whoever made the queue all the same.
  and (n.nspname = 'pgmq' and c.relname ~ '^[qa]_' or not exists (
    select from pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  ))
order by n.nspname, c.relname
"""

COLUMNS: Final = """
select a.attrelid::bigint as relation,
       array_agg(a.attnum::int order by a.attnum) as numbers,
       array_agg(a.attname::text order by a.attnum) as names,
       array_agg(format_type(a.atttypid, a.atttypmod) order by a.attnum) as types,
       array_agg(a.attnotnull order by a.attnum) as required,
       array_agg(array_to_string(a.attacl, E'\\n') order by a.attnum) as acls
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
group by a.attrelid
"""

LABELS: Final = """
select a.attrelid::bigint as relation, a.attname::text as name,
       array(
         select e.enumlabel::text from pg_enum e where e.enumtypid = a.atttypid order by e.enumsortorder
       ) as labels,
       null::text as condition
from pg_attribute a
join pg_type t on t.oid = a.atttypid and t.typtype = 'e'
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select k.conrelid::bigint, a.attname::text, '{}', pg_get_expr(k.conbin, k.conrelid)
from pg_constraint k
join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
join pg_namespace n on n.oid = k.connamespace
where k.contype = 'c' and cardinality(k.conkey) = 1
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""

CONSTRAINTS: Final = """
select k.conrelid::bigint as relation, k.conname::text as name, k.contype::text as kind,
       coalesce(k.conkey, '{}')::int[] as columns,
       k.confrelid::bigint as target, coalesce(k.confkey, '{}')::int[] as target_columns
from pg_constraint k
join pg_namespace n on n.oid = k.connamespace
where k.contype in ('p', 'u', 'f') and k.conrelid <> 0
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""

INDEXES: Final = """
select i.indrelid::bigint as relation, x.relname::text as name, i.indisunique as is_unique,
       i.indisvalid as valid, i.indkey::int2[]::int[] as columns, m.amname::text as method,
       pg_get_expr(i.indpred, i.indrelid) as predicate
from pg_index i
join pg_class x on x.oid = i.indexrelid
join pg_am m on m.oid = x.relam
join pg_namespace n on n.oid = x.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""

POLICIES: Final = """
select p.polrelid::bigint as relation, p.polname::text as name, p.polcmd::text as command,
       p.polpermissive as permissive, p.polroles::bigint[] as roles,
       pg_get_expr(p.polqual, p.polrelid) as using_text,
       pg_get_expr(p.polwithcheck, p.polrelid) as check_text
from pg_policy p
order by p.polrelid, p.polname
"""

FUNCTIONS: Final = """
select f.oid::bigint as oid, n.nspname::text as schema, f.proname::text as name, l.lanname::text as language,
       f.prosecdef as definer, f.provolatile::text as volatility, f.proowner::bigint as owner,
       f.prokind::text as kind,
       coalesce(f.proconfig, '{}') as config,
       coalesce(f.proacl, acldefault('f', f.proowner))::text[] as acl,
       coalesce(f.proargnames, '{}') as argument_names,
       coalesce(f.proargmodes::text[], '{}') as argument_modes,
       array(
         select format_type(t, null)
         from unnest(coalesce(f.proallargtypes, f.proargtypes::oid[])) with ordinality as u(t, position)
         order by position
       ) as argument_types,
       pg_get_function_identity_arguments(f.oid) as identity_arguments,
       format_type(f.prorettype, null) as returns,
       coalesce(pg_get_function_sqlbody(f.oid), f.prosrc) as body,
       pg_get_functiondef(f.oid) as definition,
       f.prosqlbody is not null as bound, f.proleakproof as leakproof, f.pronargdefaults::int as defaults
from pg_proc f
join pg_namespace n on n.oid = f.pronamespace
join pg_language l on l.oid = f.prolang
where f.prokind in ('f', 'p')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (
    select from pg_depend d
    where d.classid = 'pg_proc'::regclass and d.objid = f.oid and d.deptype = 'e'
  )
order by n.nspname, f.proname, f.oid
"""

VIEW_READS: Final = """
select r.ev_class::bigint as relation, array_agg(distinct d.refobjid::bigint) as reads
from pg_rewrite r
join pg_depend d
  on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
 and d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
group by r.ev_class
"""

TRIGGERS: Final = """
select t.tgrelid::bigint as relation, t.tgname::text as name, t.tgfoid::bigint as function,
       t.tgtype::int as kind, t.tgenabled::text in ('O', 'A') as enabled,  -- R: in a replica's session only
       -- Arguments are stored as C strings one after the other.
       string_to_array(encode(t.tgargs, 'escape'), '\\000') as arguments,
       t.tgoldtable::text as old_table, t.tgnewtable::text as new_table, t.tgparentid <> 0 as cloned
from pg_trigger t
where not t.tgisinternal
"""

PUBLICATIONS: Final = """
select p.pubname::text as name, p.puballtables as all_tables,
       array(select pr.prrelid::bigint from pg_publication_rel pr where pr.prpubid = p.oid) as relations,
       array(
         select n.nspname::text
         from pg_publication_namespace pn
         join pg_namespace n on n.oid = pn.pnnspid
         where pn.pnpubid = p.oid
       ) as schemas
from pg_publication p
"""

DEFAULT_PRIVILEGES: Final = """
select pg_get_userbyid(d.defaclrole)::text as creator, coalesce(n.nspname::text, '') as schema,
       d.defaclobjtype::text as kind, d.defaclacl::text[] as acl
from pg_default_acl d
left join pg_namespace n on n.oid = d.defaclnamespace
order by 1, 2, 3
"""

BUCKETS: Final = """
select b.id::text as id, b.public is true as public
from storage.buckets b
order by b.id
"""

CHECKS: Final = """
select u.unit::int as unit, r.lineno, r.statement, r.sqlstate, r.message, r.context
from unnest(
  '{{{functions}}}'::oid[], '{{{relations}}}'::oid[],
  array[{old_tables}]::text[], array[{new_tables}]::text[]
) with ordinality as u(function, relation, old_table, new_table, unit)
join pg_proc f on f.oid = u.function
join pg_namespace n on n.oid = f.pronamespace
-- What has no search_path of its own is read with the widest: a name that is missing then is missing always.
cross join lateral (
  select set_config('search_path', {usual} || quote_ident(n.nspname) || {others}, true) as path
  offset 0
) p
cross join lateral {checker}.plpgsql_check_function_tb(
  -- `path` is asked for, so that it is set before. The four: fatal_errors (stop at the first), and warnings.
  case when p.path is not null then f.oid end::regprocedure, u.relation::regclass,
  false, false, false, false,
  oldtable => nullif(u.old_table, '')::name, newtable => nullif(u.new_table, '')::name
) r
where r.level = 'error'
"""
"""One batch of plpgsql_check's answers, asked only where it is installed (tools/rls/checking.py)."""

QUERIES: Final[dict[str, LiteralString]] = {
    "server": SERVER,
    "roles": ROLES,
    "schemas": SCHEMAS,
    "relations": RELATIONS,
    "columns": COLUMNS,
    "labels": LABELS,
    "constraints": CONSTRAINTS,
    "indexes": INDEXES,
    "policies": POLICIES,
    "functions": FUNCTIONS,
    "view_reads": VIEW_READS,
    "triggers": TRIGGERS,
    "publications": PUBLICATIONS,
    "default_privileges": DEFAULT_PRIVILEGES,
}
"""Everything but the buckets: that table exists only on Supabase, and naming it elsewhere is an error."""
