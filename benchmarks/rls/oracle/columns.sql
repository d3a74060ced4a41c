-- Columns of one relation: what they refer to, the words a check or enum allows, whether a key covers them.
select a.attname as name, t.typname as type, t.typtype = 'e' as enum, a.attnotnull as required,
       a.attgenerated <> '' as generated, a.attidentity <> '' as identity,
       has_column_privilege('authenticated', a.attrelid, a.attnum, 'insert') as insertable,
       has_column_privilege('authenticated', a.attrelid, a.attnum, 'select') as readable,
       coalesce((select k.confrelid::regclass::text from pg_constraint k
         where k.conrelid = a.attrelid and k.contype = 'f' and k.conkey[cardinality(k.conkey)] = a.attnum
         order by k.confrelid::regclass::text like '%%medical_codes', k.oid limit 1), '') as target,
       case when t.typtype = 'e' then (select array_agg(e.enumlabel::text order by e.enumsortorder)
              from pg_enum e where e.enumtypid = t.oid)
            else coalesce((select array(select m[1] from regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''::', 'g') as m)
              from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'c' and k.conkey = array[a.attnum]
              limit 1), '{}') end as words,
       exists (select from pg_index i where i.indrelid = a.attrelid and i.indisunique and a.attnum = any (i.indkey)
         and (i.indnkeyatts = 1 or i.indisprimary)) as alone
from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
order by a.attnum
