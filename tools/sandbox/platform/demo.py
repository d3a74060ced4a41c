"""The served platform for the demo: Guardian's services, faster than real time."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tools.sandbox.platform.guardian import OWNER, guardian
from tools.sandbox.platform.keys import RENDER_ADMIN, SUPABASE_ADMIN
from tools.sandbox.platform.platform import Platform

SPEED: Final = 20.0
"""A deploy of two and a half minutes takes eight seconds."""


@dataclass(frozen=True, slots=True)
class DemoPlatform:
    """Where the demo's platform is reached and with which keys."""

    platform: Platform
    render_url: str
    render_key: str
    supabase_url: str
    supabase_key: str
    owner: str
    project_ref: str


@contextmanager
def demo_platform(seed: int = 7, speed: float = SPEED, port: int = 0) -> Generator[DemoPlatform]:
    """Serve Guardian's platform on loopback for as long as the context lasts."""
    platform = guardian(seed)
    assert platform.project is not None
    with platform.serve(port) as at:
        platform.clock.run(speed)
        yield DemoPlatform(
            platform,
            at.render,
            RENDER_ADMIN.text,
            at.supabase,
            SUPABASE_ADMIN.text,
            OWNER,
            platform.project.ref,
        )
