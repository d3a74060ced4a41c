"""What people really ask passes, and comes back with rows."""

from __future__ import annotations

import pytest

from agent.executor import Executor

pytestmark = pytest.mark.anyio

HONEST = (
    "select 1",
    "values (1, 'a'), (2, 'b')",
    "table codes",
    "select * from codes order by code limit 2 offset 1",
    "select * from codes where display like '%' || 'thma' || '%'",
    "select display ilike '%A%', display ~ '^A', display similar to 'A%' from codes",
    "select percentile_cont(0.5) within group (order by price) from codes",
    "select mode() within group (order by display), stddev(price), corr(price, price) from codes",
    "select code, rank() over (order by price desc), lag(price) over (order by code) from codes",
    (
        "select sum(price) over w from codes window w as (order by code rows between 1 preceding and"
        " current row)"
    ),
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select * from n",
    "with a as materialized (select * from codes) select a.code from a join codes c using (code)",
    "select now() at time zone 'Europe/Berlin', timestamp '2026-01-01' at time zone 'UTC'",
    "select date_trunc('month', now()), extract(epoch from now()), age(now(), now() - interval '1 day')",
    "select generate_series(1, 3), unnest(array[1, 2])",
    "select * from generate_series(date '2026-01-01', date '2026-01-05', interval '1 day')",
    (
        "select jsonb_build_object('a', 1) -> 'a', '{\"a\": [1, 2]}'::jsonb #>> '{a,1}',"
        " to_jsonb(codes) from codes"
    ),
    (
        "select jsonb_path_query('{\"a\": [1, 2]}', '$.a[*]'), jsonb_agg(code), json_object_agg(code,"
        " price) from codes group by 1"
    ),
    "select * from jsonb_to_recordset('[{\"a\": 1}]') as t(a int)",
    (
        "select to_tsvector('english', display) @@ plainto_tsquery('asthma'),"
        " ts_rank(to_tsvector(display), 'x') from codes"
    ),
    "select string_agg(code, ', ' order by code), array_agg(distinct price) from codes",
    "select coalesce(null, 1), nullif(1, 1), greatest(1, 2), case when true then 'x' end",
    (
        "select count(*), count(distinct code), count(*) filter (where price > 5) from codes group by"
        " grouping sets ((), (code))"
    ),
    (
        "select c.code, v.n from codes c cross join lateral (select count(*) n from visits v where"
        " v.code = c.code) v"
    ),
    "select code from codes intersect select code from visits except select 'x'",
    "select exists (select 1 from codes), 1 = any (array[1, 2]), 2 in (select 2)",
    "select random() between 0 and 1, clock_timestamp() > now(), gen_random_uuid() is not null",
    "select md5('x'), encode(sha256('x'), 'hex'), format('%s %I', 1, 'a'), regexp_replace('abc', 'b', 'x')",
    (
        "select int4range(1, 5) @> 3, box '((0,0),(1,1))' && box '((0,0),(1,1))', inet '10.0.0.1' <<"
        " '10.0.0.0/8'"
    ),
    "select pg_size_pretty(pg_total_relation_size('codes')), pg_relation_size('codes') > 0",
    "select relname, reltuples from pg_class where relkind = 'r' order by 1 limit 5",
    "select table_name, column_name from information_schema.columns where table_schema = 'public'",
    "select pid, state, wait_event from pg_stat_activity",
    "select locktype, mode, granted from pg_locks",
    "select relname, seq_scan, idx_scan from pg_stat_user_tables",
    "select pg_get_functiondef('public.pure'::regproc)",
    "select pure(1), public.pure(2)",
    "select name, setting from pg_settings where name = 'work_mem'",
    "show server_version",
    "select current_setting('work_mem'), current_user, current_schemas(true)",
    "select state, count(*) from visits group by state having count(*) > 1",
    "select p.status, count(*) from profiles p join visits v on v.profile_id = p.id group by p.status",
    "select * from names_again limit 3",
    "select extract(year from created_at), count(*) from profiles group by 1",
    "select 'it''s; -- not a comment' as text, $$a $1 ; b$$ as dollar  -- a comment",
    'select 1 as "a column; with ""quotes"""',
    "select code from codes where code > '%s' and display <> '%(x)s' /* a /* nested */ comment */",
    "select 1;",
)


@pytest.mark.parametrize("sql", HONEST)
async def test_an_honest_query_passes(gate: Executor, sql: str) -> None:
    outcome = await gate.call("execute_sql", {"sql": sql})
    assert outcome.failure is None, outcome.failure
    assert outcome.structured()["row_count"] > 0
    assert len(outcome.structured()["rows"]) == outcome.structured()["row_count"]


async def test_reference_data_comes_back_in_clear_with_its_types(gate: Executor) -> None:
    outcome = await gate.call(
        "execute_sql", {"sql": "select code, display, price, true as t from codes order by 1"}
    )
    result = outcome.structured()
    assert result["rows"][0] == ["E11", "Type 2 diabetes", "9.50", True]
    assert [column["shown"] for column in result["columns"]] == [True] * 4
    assert result["columns"][0]["source"] == "public.codes.code"


async def test_rows_beyond_the_cap_are_announced(gate: Executor) -> None:
    sql = "select generate_series(1, 500)"
    outcome = await gate.call("execute_sql", {"sql": sql, "max_rows": 7})
    assert outcome.structured()["rows"] == [[number] for number in range(1, 8)]
    assert "first 7 rows" in outcome.structured()["truncated"]


async def test_exactly_as_many_rows_as_the_cap_are_not_called_truncated(gate: Executor) -> None:
    outcome = await gate.call("execute_sql", {"sql": "select generate_series(1, 7)", "max_rows": 7})
    assert (outcome.structured()["row_count"], outcome.structured()["truncated"]) == (7, "")


async def test_a_ten_megabyte_row_is_clipped_with_its_size(gate: Executor) -> None:
    outcome = await gate.call(
        "execute_sql", {"sql": "select repeat('x', 10 * 1024 * 1024) from generate_series(1, 9)"}
    )
    result = outcome.structured()
    assert "10,485,760 bytes in all" in result["rows"][0][0]
    assert len(result["rows"][0][0]) < 2_100
    assert "stopped after 2 rows" in result["truncated"]


async def test_wide_results_stop_at_the_byte_cap(gate: Executor) -> None:
    outcome = await gate.call(
        "execute_sql", {"sql": "select repeat('y', 1900) from generate_series(1, 900)", "max_rows": 1000}
    )
    assert "256 KB" in outcome.structured()["truncated"]
    assert outcome.structured()["row_count"] < 150


async def test_values_that_python_cannot_hold_are_told_as_text(gate: Executor) -> None:
    sql = (
        "select date '4713-01-01 BC', 'infinity'::timestamptz, 'NaN'::float8, 'NaN'::numeric,"
        " '\\x00ff'::bytea"
    )
    outcome = await gate.call("execute_sql", {"sql": sql})
    row = outcome.structured()["rows"][0]
    assert row == ["4713-01-01 BC", "infinity", "NaN", "NaN", "<2 bytes>"]


async def test_a_role_and_claims_show_what_row_level_security_lets_through(
    gate: Executor, clinic: str
) -> None:
    sql = "select count(*) from profiles"
    everyone = await gate.call("execute_sql", {"sql": sql})
    role = {"sql": sql, "as_role": "pg_read_all_data"}
    nobody = await gate.call("execute_sql", {**role, "claims": {}})
    one = await gate.resources.database.fetch("select id::text from public.profiles order by id limit 1")
    own = await gate.call("execute_sql", {**role, "claims": {"sub": one[0]["id"]}})
    counts = [outcome.structured()["rows"][0][0] for outcome in (everyone, nobody, own)]
    assert counts == [40, 0, "<11"]
