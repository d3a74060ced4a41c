"""The catalog queries behind shapes.py. Each gives the table's oid first."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

QUOTED: Final = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")")
VALUE: Final = re.compile(r"\bVALUE\b")

RELATIONS: Final = """
select c.oid, n.nspname || '.' || c.relname, format('%%I.%%I', n.nspname, c.relname), c.relkind::text,
       (select pn.nspname || '.' || p.relname
        from pg_catalog.pg_inherits i
        join pg_catalog.pg_class p on p.oid = i.inhparent
        join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
        where i.inhrelid = c.oid and c.relispartition)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (%(schemas)s::text[] is null or n.nspname = any (%(schemas)s::text[]))
order by 2
"""

# Domains may be nested: the walk ends at the stored type and gathers typmod and NOT NULL on its way.
COLUMNS: Final = """
with recursive resolved (oid, base, typmod, not_null) as (
  select t.oid, t.oid, -1, false from pg_catalog.pg_type t where t.typtype <> 'd'
  union all
  select d.oid, r.base, case when d.typtypmod >= 0 then d.typtypmod else r.typmod end,
         d.typnotnull or r.not_null
  from pg_catalog.pg_type d join resolved r on r.oid = d.typbasetype
  where d.typtype = 'd'
)
select a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       pg_catalog.format_type(r.base, case when r.oid = r.base then a.atttypmod else r.typmod end),
       b.typname, b.typtype::text, b.oid,
       case when b.typcategory = 'A' then pg_catalog.format_type(b.typelem, null) end,
       e.typname, e.oid,
       a.attnotnull or r.not_null, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
       a.attgenerated::text, a.attidentity::text,
       case when r.oid = r.base then a.atttypmod else r.typmod end
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'f')
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join resolved r on r.oid = a.atttypid
join pg_catalog.pg_type b on b.oid = r.base
left join pg_catalog.pg_type e on b.typcategory = 'A' and e.oid = b.typelem
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by a.attrelid, a.attnum
"""

CHECKS: Final = """
select k.conrelid, k.conname, pg_catalog.pg_get_expr(k.conbin, k.conrelid),
       (select coalesce(array_agg(a.attname::text order by k2.place), '{}')
        from unnest(k.conkey) with ordinality k2 (number, place)
        join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = k2.number)
from pg_catalog.pg_constraint k
where k.contype = 'c' and k.conrelid <> 0
order by k.conrelid, k.conname
"""

DOMAIN_CHECKS: Final = """
with recursive above (oid, ancestor) as (
  select t.oid, t.oid from pg_catalog.pg_type t where t.typtype = 'd'
  union all
  select a.oid, t.typbasetype
  from above a join pg_catalog.pg_type t on t.oid = a.ancestor
  where t.typtype = 'd'
)
select c.attrelid, k.conname, pg_catalog.pg_get_expr(k.conbin, 0), c.attname
from pg_catalog.pg_attribute c
join above a on a.oid = c.atttypid
join pg_catalog.pg_constraint k on k.contypid = a.ancestor and k.contype = 'c'
where c.attnum > 0 and not c.attisdropped
order by c.attrelid, c.attnum, k.conname
"""

KEYS: Final = """
select i.indrelid, x.relname,
       (select coalesce(array_agg(a.attname::text order by a.attnum), '{}')
        from pg_catalog.pg_attribute a
        where a.attrelid = i.indrelid
          and (a.attnum = any (i.indkey[0:i.indnkeyatts - 1])
               or (i.indexprs is not null and exists (
                 select from pg_catalog.pg_depend d
                 where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = i.indexrelid
                   and d.refobjid = i.indrelid and d.refobjsubid = a.attnum)))),
       (select array_agg(pg_catalog.pg_get_indexdef(i.indexrelid, part, false) order by part)
        from generate_series(1, i.indnkeyatts) part),
       i.indisprimary, pg_catalog.pg_get_expr(i.indpred, i.indrelid),
       coalesce(not (to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, true)
from pg_catalog.pg_index i
join pg_catalog.pg_class x on x.oid = i.indexrelid
join pg_catalog.pg_class c on c.oid = i.indrelid and c.relkind in ('r', 'p')
where i.indisunique
order by i.indrelid, i.indisprimary desc, x.relname
"""

EXCLUSIONS: Final = """
select k.conrelid, k.conname,
       (select coalesce(array_agg(a.attname::text order by a.attnum), '{}')
        from pg_catalog.pg_attribute a
        where a.attrelid = k.conrelid and a.attnum > 0 and exists (
          select from pg_catalog.pg_depend d
          where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = k.conindid
            and d.refobjid = k.conrelid and d.refobjsubid = a.attnum)
          or a.attrelid = k.conrelid and a.attnum = any (k.conkey)),
       pg_catalog.pg_get_constraintdef(k.oid)
from pg_catalog.pg_constraint k
where k.contype = 'x'
order by k.conrelid, k.conname
"""

FOREIGN_KEYS: Final = """
select k.conrelid, k.conname, (select coalesce(array_agg(a.attname::text order by k2.place), '{}')
        from unnest(k.conkey) with ordinality k2 (number, place)
        join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = k2.number),
       n.nspname || '.' || c.relname, (select coalesce(array_agg(a.attname::text order by k2.place), '{}')
        from unnest(k.confkey) with ordinality k2 (number, place)
        join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = k2.number), k.condeferrable
from pg_catalog.pg_constraint k
join pg_catalog.pg_class c on c.oid = k.confrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where k.contype = 'f'
  -- A key to a partitioned table has one row more per partition, with the same columns.
  and not exists (
    select from pg_catalog.pg_constraint up
    where up.oid = k.conparentid and up.conrelid = k.conrelid)
order by k.conrelid, k.conname
"""

# Leaf partitions: a partition's own bounds, and for each of its ancestors.
BOUNDS: Final = """
select up.relid::oid, pg_catalog.pg_get_partition_constraintdef(c.oid)
from pg_catalog.pg_class c
cross join lateral pg_catalog.pg_partition_ancestors(c.oid) up
where c.relispartition and c.relkind = 'r'
order by 1, c.relname
"""

LABELS: Final = """
select enumtypid, array_agg(enumlabel::text order by enumsortorder) from pg_catalog.pg_enum group by 1
"""

FIELDS: Final = """
select t.oid, array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) order by a.attnum)
from pg_catalog.pg_type t
join pg_catalog.pg_class c on c.oid = t.typrelid and c.relkind = 'c'
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where t.typtype = 'c'
group by 1
"""

TRIGGERS: Final = """
select tgrelid, tgname from pg_catalog.pg_trigger
where not tgisinternal and tgenabled in ('A', 'R')
order by 1, 2
"""

PARTS: Final = MappingProxyType(
    {
        "columns": COLUMNS,
        "checks": CHECKS,
        "domain_checks": DOMAIN_CHECKS,
        "keys": KEYS,
        "exclusions": EXCLUSIONS,
        "foreign_keys": FOREIGN_KEYS,
        "bounds": BOUNDS,
        "labels": LABELS,
        "fields": FIELDS,
        "triggers": TRIGGERS,
    }
)
