"""A platform for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.render.deploying.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Guardian's services on a quiet Tuesday."""
    return World(tmp_path)
