"""The evaluator of log queries: what it answers, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tools.sandbox.platform.clickhouse import prepared, run, sources
from tools.sandbox.platform.clickhouse_parse import BadQuery

NOW = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


def row(minute: int, source: str, message: str, **attributes: str) -> dict[str, Any]:
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    return {
        "id": f"{minute}{source}",
        "timestamp": f"2026-11-24T14:{minute:02}:30.250000",
        "event_message": message,
        "source": source,
        "log_attributes": named,
    }


ROWS = [
    row(1, "edge_logs", "GET | 200 | /rest/v1/profiles", response__status_code="200", ms="12"),
    row(2, "edge_logs", "GET | 500 | /rest/v1/profiles", response__status_code="500", ms="900"),
    row(8, "edge_logs", "POST | 500 | /rest/v1/jobs", response__status_code="500", ms="40"),
    row(9, "auth_logs", "Login by somebody", level="info"),
]


BY_STATUS = """
    select log_attributes['response.status_code'] as status, count() as n
    from logs where source='edge_logs' group by status order by n desc, status limit 5
"""
BY_TIME = """
    select toStartOfFiveMinutes(timestamp) as t,
        countIf(toInt32OrZero(log_attributes['response.status_code']) >= 500) as bad,
        max(toFloat64OrZero(log_attributes['ms'])) as worst
    from logs where source in ('edge_logs') group by t order by t
"""
MIDDLE = "select quantile(0.5)(toInt32OrZero(log_attributes['ms'])) as m from logs where source='edge_logs'"
AFTER = "select id from logs where timestamp > '2026-11-24 14:08:00' order by timestamp desc limit 1"
LAST = [{"id": "9auth_logs"}]


@pytest.mark.parametrize(
    ("sql", "result"),
    [
        (
            "select event_message from logs where source = 'auth_logs'",
            [{"event_message": "Login by somebody"}],
        ),
        (BY_STATUS, [{"status": "500", "n": 2}, {"status": "200", "n": 1}]),
        ("SELECT count() AS n FROM logs WHERE match(event_message, '^(GET|POST) ')", [{"n": 3}]),
        ("select count() n from logs where source='none'", [{"n": 0}]),
        (
            BY_TIME,
            [
                {"t": "2026-11-24T14:00:00", "bad": 1, "worst": 900.0},
                {"t": "2026-11-24T14:05:00", "bad": 1, "worst": 40.0},
            ],
        ),
        (AFTER, LAST),
        ("select id from logs where timestamp >= now() - interval 21 minute", LAST),
        ("select id from logs where event_message ilike '%LOGIN%' and not source = 'edge_logs'", LAST),
        (MIDDLE, [{"m": 40.0}]),
        ("select uniq(source) as s, count(distinct source) as d from logs", [{"s": 2, "d": 2}]),
        (
            "select source, count() as n from logs group by source having n > 1",
            [{"source": "edge_logs", "n": 3}],
        ),
        ("select id from logs where log_attributes['level'] != '' -- a remark\n;", LAST),
        ("select 'it''s' as t from logs limit 1", [{"t": "it's"}]),
    ],
)
def test_queries(sql: str, result: list[dict[str, Any]]):
    assert run(prepared(sql), ROWS, NOW) == result


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from logs",
        "select * from logs",
        "select id from edge_logs",
        "select id from logs cross join unnest(metadata)",
        "select id from logs where source = 'x",
        "select id from logs where",
        "select nothing from logs",
        "select madeUp(id) from logs",
        "select id from logs where count() > 1",
        "select id from logs where log_attributes['ms'] > 10",
        "select match(id, '(') from logs",
        "insert into logs values (1)",
        "select id from logs; drop table logs",
        "",
    ],
)
def test_refusals(sql: str):
    with pytest.raises(BadQuery):
        run(prepared(sql), ROWS, NOW)


def test_the_sources_of_a_query_are_known():
    assert sources(prepared("select id from logs where source = 'a' and id = 'b'")) == {"a"}
    assert sources(prepared("select id from logs where id = 'b' and source in ('a', 'c')")) == {"a", "c"}
    assert sources(prepared("select id from logs where source = 'a' or id = 'b'")) is None
