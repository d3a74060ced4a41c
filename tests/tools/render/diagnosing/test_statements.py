"""The database's own statistics beside Render's logs: a slow statement is named by where it really ran."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from tests.simulated import simulated_gate, simulated_resources
from tools.database.connection import Database
from tools.sandbox.platform import Active, Effect, Line, guardian

WEB = "guardian-web"
CANCELED = Line("error: canceling statement due to statement timeout (57014)", 6)
NAME = "Marisol Okonjo"
SLOW = f"select count(*) as waiting_times, '{NAME}' as who from (select pg_sleep(0.25)) as waited"


@pytest.fixture
def visited(empty_database: str) -> str:
    """A database in which one slow statement has run."""
    with psycopg.connect(empty_database) as connection:
        found = connection.execute("select 1 from pg_extension where extname = 'pg_stat_statements'")
        assert found.fetchone(), "the sandbox has the extension"
        connection.execute(SLOW.encode())
    return empty_database


def diagnosed(folder: Path, dsn: str) -> str:
    """The answer as a model reads it, about a service that waits for its database."""
    platform = guardian()
    effect = Effect(latency=9, error_rate=0.06, lines=(CANCELED,))
    start = platform.clock.now() - timedelta(minutes=25)
    platform.world.effects.append(Active(platform.world.named(WEB).spec.id, effect, start))
    resources = replace(simulated_resources(platform), database_or_none=Database(dsn, environment="sandbox"))
    gate = simulated_gate(platform, folder / "audit.jsonl", resources=resources)
    outcome = asyncio.run(gate.call("diagnose_service", {"hours": 1, "service": WEB}))
    assert outcome.result is not None, outcome.failure
    return outcome.result.markdown()


def test_the_slow_statement_is_named_with_its_time_and_without_its_values(tmp_path: Path, visited: str):
    said = diagnosed(tmp_path, visited)
    assert "slow_queries" in said
    assert "waiting_times" in said and "ms mean, 1 calls" in said
    assert "explain_query on the statement named here" in said
    assert NAME not in said
    assert "pg_stat_statements" not in said


def test_a_database_without_the_extension_is_said_to_be_unread(tmp_path: Path, plain_database: str):
    said = diagnosed(tmp_path, plain_database)
    assert "slow_queries" in said
    assert "pg_stat_statements" in said.partition("Not examined")[2]
