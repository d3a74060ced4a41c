"""Render's public API: one method per endpoint that Sergei needs, typed both ways.

    render = RenderClient(Secret(key))
    await render.list_services(owner="tea-...")

Writes are not asked for here: a tool behind the gate does that. What is retried, and when a change counts as
`OutcomeUnknown`, stands in tools/http/transport.py.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from tools.http.refusals import Vendor
from tools.http.secret import Secret
from tools.http.transport import Http
from tools.render.api_deploys import Deploys, Jobs
from tools.render.api_observed import LogQuery, Observed
from tools.render.api_services import Environments, Services
from tools.render.api_stores import Disks, KeyValues, PostgresDatabases
from tools.render.api_workspace import Blueprints, Maintenances, Workspaces

if TYPE_CHECKING:
    import httpx

API_URL: Final = "https://api.render.com/v1"
VENDOR: Final = Vendor("Render", "RENDER_API_KEY", "Account Settings > API Keys in Render's dashboard")

__all__ = ["API_URL", "LogQuery", "RenderClient"]


class RenderClient(
    Services,
    Environments,
    Deploys,
    Jobs,
    Observed,
    PostgresDatabases,
    KeyValues,
    Disks,
    Workspaces,
    Blueprints,
    Maintenances,
):
    """All of Render's endpoints that Sergei uses, over one connection and one set of rate limits.

    `owner` is the workspace (`tea-...`) that sergei.toml names, `project` the project, `services`
    the names or ids that this project is about; empty where it names none.
    """

    def __init__(
        self,
        key: Secret,
        *,
        api_url: str = API_URL,
        owner: str = "",
        project: str = "",
        services: tuple[str, ...] = (),
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(
            Http(
                VENDOR,
                api_url,
                key,
                bucket=bucket,
                transport=transport,
                pause=pause,
                clock=clock,
                progress=progress,
            )
        )
        self.owner, self.project, self.services = owner, project, services

    def __repr__(self) -> str:
        return f"RenderClient({self.http.base_url})"

    @property
    def identity(self) -> str:
        """The API, key and workspace: what a person's yes is about. The key is only a digest."""
        return f"{self.http.base_url} {self.http.key_digest} {self.owner}"

    async def close(self) -> None:
        """Close the connections."""
        await self.http.close()


_PER_SERVICE: Final = re.compile(
    r"/(?:services|postgres|key-value|cron-jobs)/[^/]+(?:/(?:deploys|rollback|suspend|resume|scale|restart|jobs))?"
)


def bucket(method: str, path: str) -> str:
    """What Render counts together: all reads; a service's deploys, its suspensions...; the rest by path."""
    if method == "GET":
        return "GET"
    found = _PER_SERVICE.match(path)
    return f"{method} {found[0] if found else path}"
