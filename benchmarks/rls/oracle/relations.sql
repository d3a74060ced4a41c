-- Relations of the schemas in $1, with their primary keys.
select n.nspname || '.' || c.relname as title, c.relkind::text as kind, c.relispartition as partition,
       c.reltuples::bigint as tuples,
       coalesce((select array_agg(a.attname::text order by a.attnum) from pg_index i
         join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
         where i.indrelid = c.oid and i.indisprimary), '{}') as key
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%s) and c.relkind in ('r', 'p', 'v', 'm', 'f')
order by 1
