"""One shim database for all cases; each case runs in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest

from tests.tools.rls.cases import FAMILY
from tests.tools.rls.reading import Connection
from tools.sandbox import demo, faults
from tools.sandbox.cluster import Cluster
from tools.sandbox.shim import install_shim


def _shim(dsn: str) -> None:
    install_shim(dsn)


@pytest.fixture(scope="module")
def shim_dsn(cluster: Cluster) -> Iterator[str]:
    """A database with Supabase's roles and schemas."""
    template = cluster.template("shim", _shim, key=demo.content_key())
    with cluster.scratch("rls", template=template) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def demo_dsn(cluster: Cluster) -> Iterator[str]:
    """One copy of the demo for a whole module: `plant` leaves it clean."""
    with cluster.scratch("rlsdemo", template=demo.template(cluster)) as dsn:
        yield dsn


@pytest.fixture
def plant(demo_dsn: str) -> Iterator[Callable[..., str]]:
    """`plant("name", ...)` plants faults in the demo until the test ends and gives its conninfo."""
    planted: list[faults.Fault] = []

    def planting(*names: str) -> str:
        wanted = [faults.fault(name) for name in names]
        faults.apply(demo_dsn, *wanted)
        planted.extend(wanted)
        return demo_dsn

    yield planting
    faults.undo(demo_dsn, *planted)


@pytest.fixture
def family(shim_dsn: str) -> Iterator[Connection]:
    """An open transaction with the clean little family schema in it."""
    with closing(psycopg.connect(shim_dsn)) as connection:
        connection.execute(FAMILY)
        yield connection
        connection.rollback()
