"""What speaks against a deploy before it is begun. Each check says what it rests on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tools.errors import Conflict, Refused, SergeiError
from tools.render.deploying.checks import OVERRULED, Check, ok, stop, unseen, warning
from tools.render.deploying.health import GetStatus, address_of, over_the_network
from tools.render.deploying.memory_fit import check_memory
from tools.render.deploying.migrations import check_migrations
from tools.render.deploying.repository import Repository
from tools.render.deploying.revision import Revision
from tools.render.deploying.target import Target, revision_of
from tools.render.deploying.variables import check_variables, present
from tools.render.models import Service
from tools.resources import Resources


@dataclass(frozen=True, slots=True)
class Preflight:
    """The checks, in the order in which they are read."""

    checks: tuple[Check, ...]

    def of(self, level: str) -> list[Check]:
        """The checks of one level."""
        return [check for check in self.checks if check.level == level]

    def enforce(self, service: str, despite: Sequence[str]) -> None:
        """Raises Conflict for a deploy under way, Refused for another stop that nobody overruled."""
        stops = [check for check in self.of("stop") if check.name not in set(despite) & set(OVERRULED)]
        if not stops:
            return
        said = "; ".join(f"{check.name}: {check.said}" for check in stops)
        kind = Conflict if all(check.name == "running" for check in stops) else Refused
        raise kind(f"{service} is not deployed: {said}.", hint=_hint(stops))


def _hint(stops: Sequence[Check]) -> str:
    hints = {
        "suspended": "Resume it first (change_service resume), which deploys by itself.",
        "running": "Wait for it or cancel it (change_service cancel_deploy), then call again.",
    }
    said = [hints[check.name] for check in stops if check.name in hints]
    overruled = [check.name for check in stops if check.name in OVERRULED]
    if overruled:
        said.append(f"Mend it; or a person decides to go on all the same: despite={overruled}.")
    return " ".join(said)


async def examine(
    resources: Resources, target: Target, revision: Revision, repository: Repository | None
) -> Preflight:
    """All checks of a deploy of this revision."""
    service, serving = target.service, target.serving
    before = serving.commit.id if serving and serving.commit else ""
    had, blueprint, health = await asyncio.gather(
        present(resources.render, service),
        check_blueprint(resources, service),
        _health(service, resources.get_status or over_the_network),
    )
    details = service.service_details
    command = f"{details.env_specific_details.start_command} {details.env_specific_details.docker_command}"
    return Preflight((
        _suspended(service),
        _running(target, revision),
        health,
        _disk(service),
        blueprint,
        _autodeploy(service),
        await _revision(target, revision, repository),
        await check_migrations(service, repository, resources.supabase_or_none, revision.commit, before),
        await check_variables(
            service, had, repository, revision.commit, before, managed=blueprint.level == "warning"
        ),
        check_memory(details.plan, command, had.settings),
    ))  # fmt: skip


def _suspended(service: Service) -> Check:
    if not service.is_suspended:
        return ok("suspended", "it is switched on", f"suspended: {service.suspended or 'not said'}")
    by = ", ".join(service.suspenders) or "somebody"
    return stop("suspended", f"it is suspended (by {by})", f"suspenders: {by}")


def _running(target: Target, revision: Revision) -> Check:
    if (running := target.running) is None:
        return ok("running", "no deploy is under way", f"the newest {len(target.deploys)} deploys")
    if target.runs(revision):
        said = f"{running.id} of this very commit is under way, by {running.trigger or 'somebody'}"
        return warning("running", f"{said}: it is followed, and nothing is deployed again")
    said = f"{running.id} ({revision_of(running)}, by {running.trigger or 'somebody'}) is under way"
    return stop("running", said, f"its status is {running.status}")


async def _health(service: Service, get_status: GetStatus) -> Check:
    if service.type not in {"web_service", "static_site"}:
        return ok("health", "it has no public address; its log and its failures are watched instead")
    path, url = service.service_details.health_check_path, address_of(service)
    if service.service_details.maintenance_mode.get("enabled") is True:
        return warning(
            "health", "maintenance mode is on: nobody reaches it, and nothing of it can be verified"
        )
    status = await get_status(url) if url else 0
    told = f"GET {url} gave {status or 'no answer'}"
    if url and not 200 <= status < 400 and not service.is_suspended:
        return warning(
            "health", "it is not healthy now, so it is hard to tell whether the deploy harms", told
        )
    if service.type == "web_service" and not path:
        said = "it has no health check path: Render switches over as soon as a port is open"
        return warning("health", said, told)
    return ok("health", f"health check path {path or '/'} passes", told)


def _disk(service: Service) -> Check:
    disk = service.service_details.disk
    if disk is None:
        return ok("disk", "no disk, so it is replaced without downtime")
    said = "it has a disk: the old instance stops before the new one starts, so it is down for a moment"
    return warning("disk", said, f"disk {disk.name or disk.id} at {disk.mount_path}")


async def check_blueprint(resources: Resources, service: Service) -> Check:
    """Whether a blueprint will put back what is changed by hand."""
    try:
        known = await resources.render.list_blueprints(owner=service.owner_id or None)
        for blueprint in known[:10]:
            whole = blueprint if blueprint.resources else await resources.render.get_blueprint(blueprint.id)
            if any(resource.id == service.id for resource in whole.resources):
                sync = "syncs by itself and resets" if whole.auto_sync else "at its next sync resets"
                said = (
                    f"blueprint {whole.name} manages it; it {sync} what is changed by hand (autodeploy too)"
                )
                return warning("blueprint", said, f"{whole.path or 'render.yaml'} on {whole.branch}")
    except SergeiError as error:
        return unseen("blueprint", "the blueprints could not be read", error.message)
    return ok("blueprint", "no blueprint manages it", f"{len(known)} blueprints")


def _autodeploy(service: Service) -> Check:
    if not service.deploys_by_itself:
        return ok("autodeploy", "off: nothing comes in between")
    return ok("autodeploy", f"on: a push to {service.branch or 'its branch'} deploys over this one")


async def _revision(target: Target, revision: Revision, repository: Repository | None) -> Check:
    serving = target.serving
    now = serving.commit.id if serving and serving.commit else ""
    if not revision.commit:
        known = "an image" if revision.image else "its commit is not known before Render says it"
        return ok("revision", known, revision.how)
    if now and revision.is_of(now, ""):
        return warning("revision", "it serves already: this builds and starts the same again", revision.how)
    if repository is not None and now:
        older = await repository.precedes(revision.commit, now)
        if older:
            said = f"it is older than the serving commit {now[:12]}: rollback_service is quicker and turns"
            return warning("revision", f"{said} autodeploy off", revision.how)
        if older is False and not await repository.precedes(now, revision.commit):
            said = f"it does not contain the serving commit {now[:12]}"
            return warning("revision", said, revision.how)
    return ok("revision", "newer than what serves" if now else "nothing serves yet", revision.how)
