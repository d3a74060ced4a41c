"""Supabase's Management API: one method per endpoint that Sergei needs, typed both ways.

    supabase = SupabaseClient(Secret(token), project_ref="...")
    await supabase.list_functions()

Writes are not asked for here: a tool behind the gate does that. What is retried, and when a change counts as
`OutcomeUnknown`, stands in tools/http/transport.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from tools.http.refusals import Vendor
from tools.http.secret import Secret
from tools.http.transport import Http
from tools.supabase.api_functions import Functions, Logs
from tools.supabase.api_projects import Databases, Projects
from tools.supabase.api_settings import AuthSettings, DatabaseSettings, NetworkSettings

if TYPE_CHECKING:
    import httpx

API_URL: Final = "https://api.supabase.com"
VENDOR: Final = Vendor("Supabase", "SUPABASE_ACCESS_TOKEN", "Account > Access Tokens in Supabase's dashboard")

__all__ = ["API_URL", "SupabaseClient"]


class SupabaseClient(Projects, Databases, Functions, Logs, AuthSettings, NetworkSettings, DatabaseSettings):
    """All of the endpoints that Sergei uses, over one connection and one set of rate limits."""

    def __init__(
        self,
        key: Secret,
        *,
        api_url: str = API_URL,
        project_ref: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        http = Http(
            VENDOR,
            api_url.rstrip("/").removesuffix("/v1"),  # the paths have it
            key,
            bucket=bucket,
            transport=transport,
            pause=pause,
            clock=clock,
            progress=progress,
        )
        super().__init__(http, project_ref)

    def __repr__(self) -> str:
        return f"SupabaseClient({self.http.base_url}, {self.project_ref})"

    @property
    def identity(self) -> str:
        """The API, token and project: what a person's yes is about. The token is only a digest."""
        return f"{self.http.base_url} {self.http.key_digest} {self.project_ref}"

    async def close(self) -> None:
        """Close the connections."""
        await self.http.close()


def bucket(method: str, path: str) -> str:
    """What Supabase counts together: 120 calls a minute per project or organization; logs apart."""
    parts = path.split("/")
    scope = "/".join(parts[2:4])
    return f"{scope} logs" if "/analytics/" in path else scope
