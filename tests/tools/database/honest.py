"""What people really ask, by what they use. None of it may be refused."""

from __future__ import annotations

from typing import Final

HONEST: Final[dict[str, tuple[str, ...]]] = {
    "plain": (
        "select 1",
        "select * from docs",
        "table docs",
        "values (1, 'a'), (2, 'b')",
        "select id, body from docs where id between 3 and 9 order by id desc limit 5 offset 1",
        "select distinct on (id % 3) id, body from docs order by id % 3, id",
        "select d.id, m.n from docs d join marks m using (id)",
        "select d.id from docs d left join marks m on m.id = d.id where m.id is null",
        "select * from docs d natural join marks m",
        "select id from docs where id in (select id from marks where n = 0)",
        "select id from docs d where exists (select from marks m where m.id = d.id)",
        "select id from docs where id = any (array[1, 2, 3])",
        "select (select max(id) from marks) - id from docs",
        "select coalesce(null, 1), nullif(1, 2), greatest(1, 2), least(1, 2)",
        "select case id when 1 then 'one' else 'more' end from docs",
        "select id from docs order by id fetch first 3 rows with ties",
        "select count(*) from parted where at >= '2025-02-01'",
        "select * from parted_1",
        "select public.reader()",
        "select 'it''s; -- no comment', $$a ; b$$, $x$ $$ $x$",
        'select 1 as "insert; into", 2 as "for update"',
        "select 1 /* drop table marks; */ -- delete",
        "select 'delete from marks' as statement",
        "select U&'d\\0061ta', E'a\\nb', B'101', X'1F'",
    ),
    "aggregates and windows": (
        "select count(*), count(distinct n), sum(n), avg(n), min(n), max(n) from marks",
        "select count(*) filter (where n = 0) from marks",
        "select percentile_cont(0.5) within group (order by id) from docs",
        "select percentile_disc(array[0.1, 0.9]) within group (order by id) from docs",
        "select mode() within group (order by n) from marks",
        "select rank(3) within group (order by id) from docs",
        "select stddev(id), variance(id), corr(id, id), regr_slope(id, id) from docs",
        "select string_agg(body, ', ' order by id) from docs",
        "select array_agg(distinct id order by id desc) from docs",
        "select bool_and(id > 0), bool_or(id > 5), every(id > 0), bit_or(id) from docs",
        "select id % 2, count(*) from docs group by 1 having count(*) > 1",
        "select id % 2 as a, id % 3 as b, count(*) from docs group by grouping sets ((a, b), (a), ())",
        "select id % 2 as a, grouping(id % 2), count(*) from docs group by rollup (id % 2)",
        "select id % 2, id % 3, count(*) from docs group by cube (1, 2)",
        (
            "select id, row_number() over (), rank() over (order by id), dense_rank() over (order by id) "
            "from docs"
        ),
        "select id, lag(id, 1, 0) over w, lead(id) over w from docs window w as (order by id)",
        "select sum(id) over (order by id rows between 2 preceding and current row) from docs",
        (
            "select sum(id) over (order by at range between interval '1 day' preceding and current row) "
            "from docs"
        ),
        (
            "select ntile(4) over (order by id), cume_dist() over (order by id), percent_rank() over (order "
            "by id) from docs"
        ),
        (
            "select first_value(id) over w, last_value(id) over w, nth_value(id, 2) over w from docs window "
            "w as (partition by id % 2 order by id)"
        ),
        (
            "select sum(id) over (order by id groups between 1 preceding and 1 following exclude current "
            "row) from docs"
        ),
        "select any_value(id) from docs where false",
    ),
    "recursion and sets": (
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select * from n",
        (
            "with recursive t(id, path) as (select 1, array[1] union all select id + 1, path || id from t "
            "where id < 4) select * from t"
        ),
        (
            "with recursive t(a) as (select 1 union select a % 3 + 1 from t) search depth first by a set o "
            "select * from t"
        ),
        (
            "with a as materialized (select * from docs), b as not materialized (select * from a) select "
            "count(*) from b"
        ),
        "select id from docs union select id from marks except select 5 intersect select 5",
        "select 1 union all select 2 order by 1 desc",
        "select * from docs d cross join lateral (select n from marks m where m.id = d.id limit 1) x",
        "select * from docs d left join lateral (select m.n from marks m where m.id = d.id) x on true",
        "select generate_series(1, 5), unnest(array['a', 'b'])",
        "select * from generate_series(1, 3) with ordinality as g(v, n)",
        "select * from rows from (generate_series(1, 2), unnest(array['a'])) as t(a, b)",
        "select * from unnest(array[1, 2], array['a', 'b']) as u(x, y)",
        "select * from docs tablesample bernoulli (50) repeatable (1)",
        "select * from (values (1, 'x'), (2, 'y')) as v(id, label) join docs using (id)",
    ),
    "text": (
        "select id from docs where body like '%' || 'topic' || '%'",
        "select id from docs where body ilike 'A TEXT%' and body not like '%zz%'",
        "select id from docs where body ~* 'topic [0-9]+$'",
        "select id from docs where body similar to '%(topic|theme)%'",
        "select regexp_replace(body, '(\\d+)', '<\\1>', 'g'), regexp_match(body, '\\d+') from docs",
        "select regexp_split_to_table('a,b', ','), regexp_count('aaa', 'a')",
        (
            "select split_part('a-b', '-', 2), substring('abc' from 2 for 1), position('b' in 'abc'), "
            "overlay('abc' placing 'x' from 2)"
        ),
        "select format('%s %I %L', 1, 'a b', 'c'), lpad('1', 3, '0'), initcap('ab cd'), reverse('abc')",
        "select md5('x'), encode(sha256('x'), 'hex'), encode('x', 'base64'), decode('eA==', 'base64')",
        "select to_tsvector('english', body) @@ to_tsquery('english', 'topic & !other') from docs",
        (
            "select ts_rank(to_tsvector(body), q), ts_headline(body, q) from docs, "
            "websearch_to_tsquery('topic') q"
        ),
        "select plainto_tsquery('fat cats'), phraseto_tsquery('fat cats'), setweight(to_tsvector('a'), 'A')",
        "select similarity('word', 'words'), 'word' % 'words', word_similarity('a', 'ab') ",
        "select 'ABC'::citext = 'abc'::citext",
        "select encode(digest('x', 'sha256'), 'hex'), encode(hmac('a', 'b', 'sha1'), 'hex')",
        (
            "select concat_ws('-', 'a', null, 'b'), translate('abc', 'a', 'x'), trim(both ' ' from ' a '), "
            "quote_ident('a b')"
        ),
        "select string_to_array('a,b', ','), array_to_string(array[1, 2], '-'), starts_with('abc', 'a')",
        'select body collate "C" from docs order by body collate "C"',
        "select upper('x'), length('x'), octet_length('x'), chr(65), ascii('A'), normalize('é')",
    ),
    "JSON, arrays, ranges": (
        "select data -> 'k', data ->> 'k', data #> '{k}', data #>> '{k}', data ? 'k' from docs",
        "select id from docs where data @> '{\"k\": 3}'",
        "select jsonb_path_query(data, '$.k ? (@ > 2)'), jsonb_path_exists(data, '$.k') from docs",
        "select data @? '$.k', data @@ '$.k > 1' from docs",
        "select jsonb_build_object('a', 1, 'b', jsonb_build_array(1, 2)), to_jsonb(d) from docs d",
        "select jsonb_agg(data order by id), jsonb_object_agg(id, body) from docs",
        "select key, value from docs, jsonb_each(data)",
        "select * from jsonb_to_recordset('[{\"a\": 1}]') as t(a int)",
        "select jsonb_set(data, '{k}', '5'), data - 'k', data || '{\"z\": 1}', jsonb_pretty(data) from docs",
        "select jsonb_array_elements('[1, 2]'), jsonb_typeof('[]'), jsonb_strip_nulls('{\"a\": null}')",
        (
            "select json_value('{\"a\": 1}', '$.a' returning int), json_query('{\"a\": [1]}', '$.a'), "
            "json_exists('{}', '$.a')"
        ),
        "select * from json_table('[{\"a\": 1}]', '$[*]' columns (n for ordinality, a int path '$.a'))",
        "select json_object('a': 1), json_array(1, 2), '{}' is json object",
        "select row_to_json(d) from docs d",
        "select tags[1], tags[1:2], array_length(tags, 1), cardinality(tags), tags || 'x'::text from docs",
        "select id from docs where tags && array['t1', 't2'] or tags @> array['t3']",
        "select array_position(array[1, 2], 2), array_remove(array[1, 2], 1), array[[1, 2], [3, 4]]",
        "select int4range(1, 5) @> 3, daterange('2026-01-01', '2026-02-01') && daterange('2026-01-15', null)",
        "select range_agg(int4range(id, id + 2)) from docs",
        "select '{[1,3),[5,7)}'::int4multirange, upper(int4range(1, 5)), isempty('empty'::int4range)",
        "select 'a=>1'::hstore -> 'a', hstore('a', 'b')",
        "select array[1, 2] & array[2, 3]",
        "select xpath('/a/b', '<a><b>1</b></a>'::xml), xmlelement(name a, 'x'), xmlforest(id) from docs",
        "select * from xmltable('/r/i' passing ('<r><i>1</i></r>'::xml) columns i int path '.')",
    ),
    "time and numbers": (
        "select now() at time zone 'Europe/Berlin', timestamp '2026-01-01' at time zone 'UTC'",
        (
            "select date_trunc('month', at), extract(dow from at), date_part('hour', at), to_char(at, "
            "'YYYY-MM') from docs"
        ),
        (
            "select current_date - 7, now() - interval '1 month', age(now(), '2020-01-01'), date "
            "'2026-01-31' + 1"
        ),
        "select * from generate_series(date '2026-01-01', '2026-01-05', interval '1 day') d",
        "select date_bin('15 minutes', at, '2026-01-01') from docs",
        "select make_date(2026, 1, 2), make_interval(days => 3), to_timestamp(0), justify_days('40 days')",
        "select (date '2026-01-01', date '2026-02-01') overlaps (date '2026-01-15', date '2026-03-01')",
        (
            "select round(1.55, 1), trunc(1.9), ceil(1.1), mod(7, 3), power(2, 3), sqrt(4), ln(2), "
            "width_bucket(5, 0, 10, 5)"
        ),
        "select 7 / 2, 7 % 2, 2 ^ 3, |/ 4, @ -1, 1 << 2, 5 & 3, 1::numeric(5, 2), '12'::int",
        "select random() between 0 and 1, gen_random_uuid() is not null, clock_timestamp() > now()",
        "select inet '10.0.0.1' << '10.0.0.0/8', host(inet '10.0.0.1'), macaddr '08:00:2b:01:02:03'",
        "select point(1, 2) <-> point(3, 4), box '((0,0),(1,1))' && box '((0,0),(1,1))', circle '<(0,0),1>'",
        "select pg_input_is_valid('x', 'integer')",
    ),
    "the catalog and statistics": (
        (
            "select relname, reltuples, pg_size_pretty(pg_total_relation_size(oid)) from pg_class where "
            "relkind = 'r'"
        ),
        (
            "select table_name, column_name, data_type from information_schema.columns where table_schema = "
            "'public'"
        ),
        "select * from information_schema.table_constraints",
        "select conname, pg_get_constraintdef(oid) from pg_constraint",
        "select indexrelid::regclass, pg_get_indexdef(indexrelid) from pg_index limit 5",
        (
            "select proname, provolatile, pg_get_functiondef(oid) from pg_proc where pronamespace = "
            "'public'::regnamespace and prokind = 'f'"
        ),
        "select viewname, definition from pg_views where schemaname = 'public'",
        "select schemaname, tablename, policyname, qual from pg_policies",
        "select rolname, rolsuper, rolbypassrls from pg_roles",
        "select nspname, nspacl from pg_namespace",
        "select extname, extversion from pg_extension",
        "select name, setting, unit from pg_settings where name like '%work_mem%'",
        "select relname, seq_scan, idx_scan, n_dead_tup, last_autovacuum from pg_stat_user_tables",
        "select indexrelname, idx_scan from pg_stat_user_indexes",
        "select pid, state, wait_event_type, now() - xact_start from pg_stat_activity",
        "select datname, numbackends, deadlocks, temp_bytes from pg_stat_database",
        "select locktype, mode, granted, relation::regclass from pg_locks",
        "select calls, mean_exec_time from pg_stat_statements order by 2 desc limit 5",
        (
            "select pg_database_size(current_database()), pg_relation_size('docs'), pg_column_size(data) "
            "from docs limit 1"
        ),
        (
            "select a.pid, b.pid from pg_locks a join pg_locks b using (relation) where "
            "pg_blocking_pids(a.pid) <> '{}'"
        ),
        "select has_table_privilege('docs', 'select'), has_schema_privilege('public', 'usage')",
        "select current_user, session_user, current_database(), current_schemas(true), version()",
        "select current_setting('work_mem'), current_setting('app.tenant', true)",
        "select obj_description('docs'::regclass), col_description('docs'::regclass, 1)",
        "select * from pg_get_keywords() limit 3",
        "select typname, typtype from pg_type where typname = 'guarded'",
        "select to_regclass('docs'), to_regtype('int'), 'docs'::regclass::oid, 'now'::regproc",
        "show server_version",
        "show work_mem",
        "select * from pg_available_extensions limit 3",
        "select * from pg_stat_bgwriter",
        "select pg_get_viewdef('view_bumps')",
        (
            "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = "
            "'docs'::regclass and attnum > 0"
        ),
        "select aclexplode(relacl) from pg_class where relacl is not null limit 3",
        "select tgname, pg_get_triggerdef(oid) from pg_trigger",
        "select pg_is_in_recovery(), pg_current_wal_lsn(), pg_postmaster_start_time(), pg_conf_load_time()",
    ),
}
QUERIES: Final = tuple((kind, sql) for kind, queries in HONEST.items() for sql in queries)

EXPLAINED: Final = (
    "select * from docs where id = 5",
    "select count(*) from docs d join marks m using (id)",
    "insert into marks (id) values (900)",
    "update marks set n = 5 where id = 1",
    "delete from marks where id = 1",
    "merge into marks m using docs d on m.id = d.id when matched then update set n = 4",
    "insert into marks select id + 1000 from docs on conflict (id) do update set n = 1",
)
MEASURED: Final = EXPLAINED[:2]
INSTALLED_ONLY: Final = {
    "postgis": (
        "select st_distance(st_makepoint(0, 0)::geography, st_point(1, 1)::geography), "
        "st_astext('POINT(1 1)')"
    ),
    "vector": "select '[1,2,3]'::vector <-> '[3,2,1]'::vector, avg(v) from (values ('[1,2]'::vector)) t(v)",
}
