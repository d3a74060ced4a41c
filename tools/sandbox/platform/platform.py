"""The platform as one ASGI app: both APIs and the services' sites, in this process or served on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import uvicorn

from tools.errors import Unavailable
from tools.sandbox.platform.app import application
from tools.sandbox.platform.clock import Clock
from tools.sandbox.platform.faults import FaultQueue
from tools.sandbox.platform.gate import Gate, Requested
from tools.sandbox.platform.limits import Limits
from tools.sandbox.platform.supabase_state import SupabaseProject
from tools.sandbox.platform.world import World

START_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a served platform is reached."""

    root: str

    @property
    def render(self) -> str:
        """The base URL of the Render API."""
        return f"{self.root}/render/v1"

    @property
    def supabase(self) -> str:
        """The base URL of the Supabase management API."""
        return f"{self.root}/supabase/v1"


class Platform:
    """A world, its clock, and the app in front of them."""

    def __init__(
        self, world: World, project: SupabaseProject | None = None, clock: Clock | None = None
    ) -> None:
        self.world = world
        self.project = project
        self.clock = clock or Clock()
        self.faults = FaultQueue()
        self.limits = Limits()
        self.requests: list[Requested] = []
        """Every request that came in, in order."""
        self.root: str | None = None
        """Where the sites of the services are, once served."""
        self.app = Gate(self, application(self))

    def transport(self) -> httpx.ASGITransport:
        """For an httpx client: api.render.com, api.supabase.com and *.onrender.com answer in this process."""
        return httpx.ASGITransport(self.app)  # type: ignore[arg-type]  # the ASGI types of two packages

    def site(self, slug: str) -> str:
        """The URL under which a service is reached."""
        return f"{self.root}/site/{slug}" if self.root else f"https://{slug}.onrender.com"

    @contextmanager
    def serve(self, port: int = 0) -> Generator[Addresses]:
        """Serve on loopback from a thread."""
        bound = socket.socket()
        bound.bind(("127.0.0.1", port))
        self.root = f"http://127.0.0.1:{bound.getsockname()[1]}"
        settings = uvicorn.Config(
            self.app.closing(),  # type: ignore[arg-type]  # the ASGI types of two packages
            log_level="critical",
            lifespan="off",
            access_log=False,
        )
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        thread.start()
        try:
            patience = time.monotonic() + START_SECONDS
            while not server.started:
                if time.monotonic() > patience or not thread.is_alive():
                    raise Unavailable("The simulated platform did not start.")
                time.sleep(0.01)
            yield Addresses(self.root)
        finally:
            server.should_exit = server.force_exit = True  # a client may hang on purpose
            thread.join(START_SECONDS)
            bound.close()
            self.root = None
