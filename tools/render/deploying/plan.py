"""What a call of deploy_service would do, before anybody is asked: a new deploy, or the rest of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tools.render.deploying.checks import Check
from tools.render.deploying.journal import Journal, folder, read
from tools.render.deploying.preflight import Preflight, examine
from tools.render.deploying.repository import Repository, repository_of
from tools.render.deploying.revision import Revision, resolve
from tools.render.deploying.target import Target, find_target, revision_of
from tools.render.models import IN_PROGRESS, LIVE, Deploy
from tools.resources import Resources


@dataclass(frozen=True, slots=True)
class Plan:
    """`resumed` is the journal of a deploy that was not watched to its end; `deploy` is that deploy.

    `deploy` alone is one of the same commit that somebody or a push began: it is followed like our own.
    `seen` is the journal as it was found, `lost` a request of which nothing was ever seen.
    """

    target: Target
    revision: Revision
    repository: Repository | None
    preflight: Preflight
    resumed: Journal | None = None
    deploy: Deploy | None = None
    seen: Journal | None = None
    lost: str = ""

    @property
    def checks(self) -> tuple[Check, ...]:
        """The results of the preflight; none for what is resumed."""
        return self.preflight.checks

    @property
    def previous(self) -> str:
        """The deploy that a rollback would go back to."""
        if self.resumed is not None:
            return self.resumed.previous
        return self.target.serving.id if self.target.serving else ""

    @property
    def previous_words(self) -> str:
        """That deploy with its revision, for a person."""
        if self.resumed is not None:
            return f"{self.resumed.previous} ({self.resumed.previous_revision})" if self.previous else "none"
        return f"{self.previous} ({revision_of(self.target.serving)})" if self.previous else "none"


async def make_plan(
    resources: Resources, service: str, *, commit: str | None, image: str | None, despite: Sequence[str]
) -> Plan:
    """Look at everything. Raises Refused, Conflict for what is not begun like this, and what Render says."""
    target = await find_target(resources.render, service)
    repository = await repository_of(resources.workspace_or_none, target.service.repo)
    revision = await resolve(target.service, repository, commit=commit, image=image)
    journal = read(folder(resources), target.service.id)
    ours = journal is not None and journal.kind == "deploy" and journal.open(resources.now())
    if journal is not None and ours:
        deploy = _resumable(journal, target, revision, named=bool(commit or image))
        if deploy is not None:
            return Plan(target, journal.revision, repository, Preflight(()), journal, deploy, journal)
    preflight = await examine(resources, target, revision, repository)
    preflight.enforce(target.service.name, despite)
    begun = journal is not None and ours and journal.state == "begun"
    lost = f"{journal.sent_at:%Y-%m-%d %H:%M:%S}" if journal is not None and begun else ""
    same = target.running if target.runs(revision) else None
    return Plan(target, revision, repository, preflight, deploy=same, seen=journal, lost=lost)


def _resumable(journal: Journal, target: Target, wanted: Revision, *, named: bool) -> Deploy | None:
    """The deploy to go on with. None: it was never begun, it is over, or something else is wanted."""
    if named or journal.state == "closed":
        same = bool(wanted.commit or wanted.image) and _is_of(journal.revision, wanted)
        if not same:
            return None
    deploy = next((each for each in target.deploys if each.id == journal.deploy), None)
    if journal.deploy == "":
        new = [each for each in target.deploys if each.id not in journal.known and each.trigger == "api"]
        deploy = next((each for each in reversed(new) if _deploys(each, journal.revision)), None)
    if deploy is None:
        return None
    if journal.state == "closed" and deploy.status != LIVE:
        return None
    if journal.state == "begun" and not (deploy.status in IN_PROGRESS or deploy.is_over):
        return None
    return deploy


def _is_of(one: Revision, other: Revision) -> bool:
    return other.is_of(one.commit, one.image) and bool(one.commit or one.image)


def _deploys(deploy: Deploy, revision: Revision) -> bool:
    return revision.is_of(deploy.commit.id if deploy.commit else "", deploy.image.ref if deploy.image else "")


def serving_since(target: Target) -> datetime | None:
    """Since when the present release serves."""
    return target.serving.finished_at if target.serving else None
