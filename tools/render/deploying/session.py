"""What one deploy has at hand while it runs: the service, the journal, the clock, and what was told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.render.deploying.health import Prober, address_of, over_the_network
from tools.render.deploying.journal import Journal, Step, write
from tools.render.deploying.target import Target

if TYPE_CHECKING:
    from tools.render.client import RenderClient
    from tools.render.models import Service
    from tools.resources import Resources

PATIENCE: Final = 40
"""Failed questions in a row (ten minutes) after which following ends without a verdict."""


@dataclass(slots=True)
class Session:
    """One deploy or rollback under the service's lock."""

    resources: Resources
    target: Target
    place: Path
    journal: Journal

    @property
    def render(self) -> RenderClient:
        """Render's API."""
        return self.resources.render

    @property
    def service(self) -> Service:
        """The service."""
        return self.target.service

    @property
    def pause(self) -> Callable[[float], Awaitable[None]]:
        """Waits."""
        return self.resources.pause

    def now(self) -> datetime:
        """The time."""
        return self.resources.now()

    def tell(self, what: str) -> None:
        """For the person who watches."""
        self.resources.progress(f"{self.service.name}: {what}")

    def step(self, what: str) -> None:
        """Something that belongs in the result and the journal."""
        self.journal.steps.append(Step(at=self.now(), what=what))
        self.tell(what)

    def keep(self, **fields: object) -> None:
        """Change the journal, on disk before anything else happens."""
        self.journal = self.journal.model_copy(update=fields)
        write(self.place, self.journal)

    def prober(self) -> Prober | None:
        """Asks the public address; None without one."""
        url = address_of(self.service)
        return Prober(url, self.resources.get_status or over_the_network) if url else None

    async def refresh(self) -> None:
        """Read the service anew."""
        service = await self.render.get_service(self.service.id)
        self.target = replace(self.target, service=service)
