"""Private servers in short folders of their own, and processes that lodge in them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from tools.sandbox.cluster import Cluster, SandboxSettings
from tools.sandbox.reaper import remove_socket_folder, stop_server

ROOT = Path(__file__).parents[3]
LODGER = Path(__file__).with_name("lodger.py")
PATIENCE = 30.0


def until(reached: Callable[[], bool]) -> bool:
    """Wait for something that other processes do."""
    deadline = time.monotonic() + PATIENCE
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.02)
    return reached()


class Lodger:
    """A process of lodger.py."""

    def __init__(
        self, cache: Path, idle: float, *words: str, python: str = sys.executable, uid: int = -1
    ) -> None:
        self.process = subprocess.Popen(
            [python, "-B", str(LODGER), str(cache), str(idle), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={
                "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(os.path.isdir, sys.path)]),
                "PATH": os.defpath,
            },
            user=None if uid < 0 else uid,
            group=None if uid < 0 else uid,
            extra_groups=None if uid < 0 else [],
        )

    def says(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def leave(self) -> int:
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


Lodge = Callable[..., Lodger]


@pytest.fixture
def lodge(cache: Path) -> Generator[Lodge]:
    """Start a lodger of this test's server."""
    lodgers: list[Lodger] = []

    def start(*words: str, idle: float = 60.0, **other: Any) -> Lodger:
        lodgers.append(Lodger(other.pop("cache", cache), idle, *words, **other))
        return lodgers[-1]

    yield start
    for lodger in lodgers:
        lodger.kill()


@contextlib.contextmanager
def cache_folder() -> Generator[Path]:
    """A folder that every account may enter; its servers end with it."""
    folder = Path(tempfile.mkdtemp(prefix="sg-", dir="/tmp")).resolve()
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for data in folder.rglob("data"):
            stop_server(data)
            remove_socket_folder(data.parent)
        shutil.rmtree(folder)


@pytest.fixture
def cache() -> Generator[Path]:
    """An empty cache folder."""
    with cache_folder() as folder:
        yield folder


@pytest.fixture(scope="package")
def common_cache() -> Generator[Path]:
    """The cache folder of `cluster`."""
    with cache_folder() as folder:
        yield folder


@pytest.fixture(scope="package")
def cluster(common_cache: Path) -> Generator[Cluster]:
    """One server for the tests that only use it."""
    with Cluster.open(SandboxSettings(cache_dir=common_cache, idle_seconds=60.0)) as cluster:
        yield cluster
