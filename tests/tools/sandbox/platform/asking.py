"""How the tests ask the simulated platform."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

from tools.sandbox.platform import OWNER, RENDER_ADMIN, SUPABASE_ADMIN, Platform

RENDER = "https://api.render.com/v1"
SUPABASE = "https://api.supabase.com/v1"
T = TypeVar("T")


class Client:
    """A synchronous face: one event loop for each request."""

    def __init__(self, platform: Platform, base: str = RENDER, key: str = "") -> None:
        self.platform = platform
        self._base = base
        self._key = key or (RENDER_ADMIN if base == RENDER else SUPABASE_ADMIN).text

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request."""

        async def once(client: httpx.AsyncClient) -> httpx.Response:
            return await client.request(method, path, **more)

        return self.together(once)

    def get(self, path: str, /, **query: Any) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.ask("GET", path, params=query)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def together(self, work: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
        """Several requests in one event loop."""

        async def run() -> T:
            headers = {"Authorization": f"Bearer {self._key}"}
            transport = self.platform.transport()
            async with httpx.AsyncClient(transport=transport, base_url=self._base, headers=headers) as client:
                return await work(client)

        return asyncio.run(run())

    def logs(self, service: str, **query: Any) -> list[Any]:
        """A page of log lines of a service."""
        resource = self.platform.world.named(service).spec.id
        return self.get("/logs", ownerId=OWNER, resource=resource, **query)["logs"]


def path_of(platform: Platform, service: str) -> str:
    """The path of a service."""
    return f"/services/{platform.world.named(service).spec.id}"
