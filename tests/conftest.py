"""Fixtures that every test folder shares: one sandbox server, fresh databases, a real gate."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.approvals import Approvals, Asker, Mode
from agent.audit import AuditLog
from agent.executor import Executor
from memory import Bank, Banks, starter_bank
from tools import catalogue
from tools.database.connection import Database
from tools.redaction import Redactor
from tools.resources import Resources
from tools.sandbox import demo
from tools.sandbox.cluster import Cluster, SandboxSettings
from tools.sandbox.shim import install_shim
from tools.workspace.jail import Workspace

# Kept between runs, so that the server and the demo template are built once per machine.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sergei-tests" / "sandbox"

MakeExecutor = Callable[..., Executor]

# As the product does: thousands of tests and classes stay, and need not be looked through again and again.
gc.set_threshold(50_000)


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The tests' own sandbox server, shared by all workers."""
    with Cluster.open(SandboxSettings(cache_dir=CACHE)) as cluster:
        yield cluster


@pytest.fixture
def guardian(cluster: Cluster) -> Iterator[str]:
    """The conninfo of a fresh copy of the small Guardian demo."""
    with cluster.scratch("guardian", template=demo.template(cluster)) as dsn:
        yield dsn


@pytest.fixture
def empty_database(cluster: Cluster) -> Iterator[str]:
    """The conninfo of a fresh database with Supabase's roles and schemas, and nothing else."""
    template = cluster.template("shim", install_shim, key=demo.content_key())
    with cluster.scratch("shim", template=template) as dsn:
        yield dsn


@pytest.fixture
def plain_database(cluster: Cluster) -> Iterator[str]:
    """The conninfo of a fresh database as PostgreSQL makes it."""
    with cluster.scratch("plain") as dsn:
        yield dsn


@pytest.fixture
def make_executor(tmp_path: Path) -> MakeExecutor:
    """A real gate: `make_executor(dsn=None, mode=Mode.ACT, asker=None, workspace=None, strict=True)`."""

    def make(
        dsn: str | None = None,
        *,
        mode: Mode = Mode.ACT,
        asker: Asker | None = None,
        workspace: Path | None = None,
        strict: bool = True,
        environment: str = "sandbox",
    ) -> Executor:
        bank = Banks(Bank(tmp_path / "bank", refuse=Redactor(strict=True).objection), also=(starter_bank(),))
        resources = Resources(
            database_or_none=Database(dsn, environment=environment) if dsn else None,
            bank_or_none=bank,
            sandbox_or_none=lambda: Cluster.open(SandboxSettings(cache_dir=CACHE)),
            workspace_or_none=Workspace((workspace or tmp_path).resolve(), {"PATH": os.environ["PATH"]}),
        )
        return Executor(
            catalogue(),
            resources,
            approvals=Approvals(mode, asker),
            redactor=Redactor(strict=strict),
            audit=AuditLog.open(tmp_path / "audit.jsonl", face="test"),
        )

    return make
