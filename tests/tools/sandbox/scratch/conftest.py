"""Sessions on scratch databases, and the Guardian copied once for the tests that only read or roll back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import CACHE
from tools.sandbox import demo
from tools.sandbox.cluster import Cluster, SandboxSettings
from tools.sandbox.scratch.copy import Scratch, copy_schema
from tools.sandbox.scratch.fill import Filler
from tools.sandbox.scratch.session import ScratchSession
from tools.sandbox.scratch.shapes import read_shapes

MakeFiller = Callable[..., Filler]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The server of all other tests: the folder above has one of its own, without a Guardian yet."""
    with Cluster.open(SandboxSettings(cache_dir=CACHE)) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def guardian_copy(cluster: Cluster) -> Iterator[Scratch]:
    """A copy of the Guardian's schema; tests must roll back."""
    with (
        cluster.scratch("source", template=demo.template(cluster)) as source,
        copy_schema(cluster, source) as copy,
    ):
        yield copy


@pytest.fixture
def session(plain_database: str) -> Iterator[ScratchSession]:
    """A session on an empty plain database."""
    with ScratchSession(plain_database) as session:
        yield session


@pytest.fixture
def filler(session: ScratchSession) -> MakeFiller:
    """`filler(ddl, seed=1, constants=None)`: a Filler over the schema that the text makes."""

    def make(
        ddl: str, *, seed: int = 1, constants: dict[tuple[str, str], tuple[str, ...]] | None = None
    ) -> Filler:
        session.script(ddl)
        return Filler(session, read_shapes(session), seed, constants)

    return make
