-- What operators change, read from the catalog. One query after each name.
-- name: policies
select p.polname as name, p.polrelid::regclass::text as table,
       case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
       p.polpermissive as permissive,
       case when p.polroles = '{0}' then 'public'
            else (select string_agg(r.rolname, ', ') from pg_roles r where r.oid = any (p.polroles)) end as roles,
       pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as checked
from pg_policy p order by 2, 1

-- name: functions
select n.nspname as schema, p.proname as name, pg_get_function_identity_arguments(p.oid) as identity,
       p.oid::regprocedure::text as signature, l.lanname as language, p.prosrc as body,
       pg_get_functiondef(p.oid) as definition, p.proretset as many, format_type(p.prorettype, null) as returns,
       p.prosecdef as definer
from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
where n.nspname in ('public', 'private', 'app') and p.prokind = 'f' and l.lanname in ('sql', 'plpgsql')
order by 1, 2, 3

-- name: views
select n.nspname as schema, c.relname as name, pg_get_viewdef(c.oid) as definition,
       coalesce(array_to_string(c.reloptions, ', '), '') as options, c.relkind::text as kind
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'private', 'app') and c.relkind in ('v', 'm') order by 1, 2

-- name: triggers
select t.tgrelid::regclass::text as table, t.tgname as name, pg_get_triggerdef(t.oid) as definition,
       p.oid::regprocedure::text as function, t.tgtype & 2 > 0 as before
from pg_trigger t join pg_proc p on p.oid = t.tgfoid
where not t.tgisinternal and t.tgparentid = 0 order by 1, 2

-- name: keys
select k.conrelid::regclass::text as table, k.conname as name, k.confrelid::regclass::text as target,
       array(select a.attname::text from unnest(k.conkey) with ordinality as u (n, i) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.n order by u.i) as columns,
       array(select a.attname::text from unnest(k.confkey) with ordinality as u (n, i) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.n order by u.i) as target_columns
from pg_constraint k where k.contype = 'f' and k.conparentid = 0 and k.connamespace = 'public'::regnamespace order by 1, 2

-- name: tables
select c.oid::regclass::text as name, c.relispartition as partition, c.relrowsecurity as rls, c.relkind::text as kind,
       array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum) as columns,
       (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and has_column_privilege('authenticated', c.oid, a.attnum, 'select')) as readable,
       has_any_column_privilege('authenticated', c.oid, 'insert') as insertable,
       has_any_column_privilege('authenticated', c.oid, 'update') as updatable
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1

-- name: families
select a.attrelid::regclass::text, a.attname::text, array_agg(e.enumlabel::text order by e.enumsortorder)
from pg_attribute a join pg_enum e on e.enumtypid = a.atttypid join pg_class c on c.oid = a.attrelid
where c.relkind in ('r', 'p', 'v') group by 1, 2
union all
select k.conrelid::regclass::text, a.attname::text,
       array(select m[1] from regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''::', 'g') as m)
from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
where k.contype = 'c' and k.connamespace = 'public'::regnamespace and cardinality(k.conkey) = 1
  and pg_get_constraintdef(k.oid) like '%ARRAY[%'

-- name: plain_keys
select i.indrelid::regclass::text from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
where i.indisunique and i.indnkeyatts = 1 and a.attname = 'id' and i.indpred is null
