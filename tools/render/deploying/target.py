"""The service that is meant, and how a person is shown it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.errors import SergeiError
from tools.render.deploying.revision import Revision
from tools.render.models import IN_PROGRESS, LIVE, Deploy, Service
from tools.render.naming import find_service

if TYPE_CHECKING:
    from tools.render.client import RenderClient

SEEN: Final = 20
"""Deploys that are looked at."""


@dataclass(frozen=True, slots=True)
class Target:
    """A service as it stands, with its newest deploys and the name of its workspace."""

    service: Service
    deploys: tuple[Deploy, ...]
    owner: str

    @property
    def label(self) -> str:
        """Name, id, kind, plan, region, address and workspace in one line."""
        service = self.service
        details = service.service_details
        parts = [service.type, details.plan and f"plan {details.plan}", details.region, details.url]
        shown = ", ".join(part for part in parts if part)
        return f"{service.name} ({service.id}), {shown}, workspace {self.owner}"

    @property
    def serving(self) -> Deploy | None:
        """The deploy whose release serves, if any is known."""
        return next((deploy for deploy in self.deploys if deploy.status == LIVE), None)

    @property
    def running(self) -> Deploy | None:
        """The deploy that is under way, if any."""
        return next((deploy for deploy in self.deploys if deploy.status in IN_PROGRESS), None)

    def runs(self, revision: Revision) -> bool:
        """Whether the deploy under way is of this very commit."""
        commit = self.running.commit if self.running is not None else None
        return bool(commit and revision.commit and revision.is_of(commit.id, ""))


async def find_target(render: RenderClient, word: str) -> Target:
    """The service of this id, name or beginning of a name. Raises NotFound, InvalidInput when ambiguous."""
    service = await find_service(render, word)
    deploys = await render.list_deploys(service.id, most=SEEN)
    try:
        owner = (await render.get_owner(service.owner_id)).name if service.owner_id else ""
    except SergeiError:
        owner = ""  # a key may see the service and not the workspace
    return Target(service, tuple(deploys), owner or service.owner_id or "unknown")


def revision_of(deploy: Deploy | None) -> str:
    """The commit (12 digits) or the image of a deploy."""
    if deploy is None:
        return "nothing"
    if deploy.commit and deploy.commit.id:
        return f"commit {deploy.commit.id[:12]}"
    if deploy.image and deploy.image.ref:
        return f"image {deploy.image.ref}"
    return "an unknown revision"
