"""Guardian's platform for the demo: served on loopback from the first request on, and never somewhere else.

Its time is real time. It runs ahead only while a tool waits: a deploy of two and a half minutes takes some
seconds, and nobody watches a clock that races.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    import httpx

    from tools.sandbox.platform.platform import Platform

HASTE: Final = 20.0
"""So many seconds pass there while a tool that waits waits one."""


class DemoPlatform:
    """A platform that is built and served when it is first asked. `close` ends it.

    The APIs are at `render_url` and `supabase_url`; clients take `transport()`, which starts it.
    """

    def __init__(self, port: int = 0) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", port))
            self._port: int = free.getsockname()[1]
        self._platform: Platform | None = None
        self._open = ExitStack()
        self._alone = Lock()

    @property
    def render_url(self) -> str:
        """Render's API."""
        return f"http://127.0.0.1:{self._port}/render/v1"

    @property
    def supabase_url(self) -> str:
        """Supabase's management API."""
        return f"http://127.0.0.1:{self._port}/supabase/v1"

    def started(self) -> Platform:
        """The platform, served."""
        with self._alone:
            if self._platform is None:
                from tools.sandbox.platform.clock import Clock
                from tools.sandbox.platform.guardian_platform import guardian

                platform = guardian(clock=Clock(datetime.now(UTC), speed=1.0))
                self._open.enter_context(platform.serve(self._port))
                self._platform = platform
            return self._platform

    def now(self) -> datetime:
        """The platform's time; the real one before it is started."""
        return self._platform.clock.now() if self._platform else datetime.now(UTC)

    async def pause(self, seconds: float) -> None:
        """Wait a little, while much passes there."""
        await asyncio.sleep(seconds / HASTE)
        if self._platform:
            self._platform.clock.advance(seconds - seconds / HASTE)

    def transport(self) -> httpx.AsyncBaseTransport:
        """For a client: the network, once the platform is served."""
        return cast("httpx.AsyncBaseTransport", _Starting(self))

    def close(self) -> None:
        """Stop serving."""
        self._open.close()
        self._platform = None


class _Starting:
    """What httpx asks of a transport; it is a class of its own so that httpx loads with the first request."""

    def __init__(self, demo: DemoPlatform) -> None:
        self._demo = demo
        self._network: httpx.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._network is None:
            import httpx

            await asyncio.to_thread(self._demo.started)
            self._network = httpx.AsyncHTTPTransport()
        return await self._network.handle_async_request(request)

    async def __aenter__(self) -> _Starting:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        if self._network is not None:
            await self._network.aclose()
