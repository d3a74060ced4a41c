"""The service as the internet sees it: its health check path, asked from here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tools.render.deploying.verdict import Health
from tools.render.models import Service

GetStatus = Callable[[str], Awaitable[int]]
TIMEOUT: Final = 5.0
"""Seconds, as Render's own health check waits."""


@dataclass(slots=True)
class Prober:
    """Asks one address and counts. A status of 200 to 399 passes, as with Render; 0 is no answer."""

    url: str
    get_status: GetStatus
    passed: int = 0
    failed: int = 0
    failed_in_a_row: int = 0
    worst_run: int = 0
    last_status: int = 0

    async def ask(self) -> bool:
        """One check."""
        self.last_status = await self.get_status(self.url)
        if 200 <= self.last_status < 400:
            self.passed, self.failed_in_a_row = self.passed + 1, 0
            return True
        self.failed, self.failed_in_a_row = self.failed + 1, self.failed_in_a_row + 1
        self.worst_run = max(self.worst_run, self.failed_in_a_row)
        return False

    @property
    def health(self) -> Health:
        """What was seen."""
        return Health(True, self.passed, self.failed, self.failed_in_a_row, self.last_status)


def address_of(service: Service) -> str:
    """Where its health can be asked from outside; '' for what has no public address."""
    details = service.service_details
    if service.type not in {"web_service", "static_site"} or not details.url.startswith("http"):
        return ""
    path = details.health_check_path or "/"
    return details.url.rstrip("/") + (path if path.startswith("/") else f"/{path}")


async def over_the_network(url: str) -> int:
    """The status of a GET, without following redirections; 0 when there is no answer in time."""
    import httpx

    try:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as client,
            client.stream("GET", url, headers={"User-Agent": "sergei"}) as answer,
        ):
            return answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return 0
