"""A small clinic to read from, shared by the tests of one worker, and fresh copies to change."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from agent.executor import Executor
from tests.conftest import MakeExecutor
from tools.sandbox.cluster import Cluster

SCHEMA = Path(__file__).with_name("clinic.sql")
PLANTED = ("Quill", "1961-07", "7001")
"""Pieces of every value of a person in the clinic."""


@pytest.fixture(scope="session")
def clinic_template(cluster: Cluster) -> str:
    """The template that the clinic is copied from."""
    return cluster.template("clinic", _build, key=sha256(SCHEMA.read_bytes()).hexdigest()[:12])


@pytest.fixture(scope="session")
def clinic(cluster: Cluster, clinic_template: str) -> Iterator[str]:
    """A clinic that nobody changes."""
    with cluster.scratch("clinic", template=clinic_template) as dsn:
        yield dsn


@pytest.fixture
def clinic_copy(cluster: Cluster, clinic_template: str) -> Iterator[str]:
    """A clinic of one's own."""
    with cluster.scratch("clinic", template=clinic_template) as dsn:
        yield dsn


@pytest.fixture
def outside(clinic: str) -> Generator[psycopg.Connection[tuple[object, ...]]]:
    """A second, independent session on the shared clinic: effects are measured from here."""
    with psycopg.connect(clinic, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def gate(clinic: str, make_executor: MakeExecutor) -> AsyncGenerator[Executor]:
    """The gate of a session on the shared clinic."""
    executor = make_executor(clinic)
    yield executor
    await executor.resources.database.close()


def _build(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SCHEMA.read_text(encoding="utf-8").encode())
