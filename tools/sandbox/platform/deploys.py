"""Deploys: the queue, the steps of each one, what the service writes meanwhile, and which release serves.

The steps of a deploy are laid down when it begins, as phases with their times; its status is then a function
of the clock. created, queued, build_in_progress, pre_deploy_in_progress, update_in_progress, and then live,
build_failed, pre_deploy_failed, update_failed or canceled; a live deploy is deactivated by the next one.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from tools.sandbox.platform import failures
from tools.sandbox.platform.deploy_logs import build_log, pre_deploy_log, started_log
from tools.sandbox.platform.effects import Active, Behaviour, Effect
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.world import Commit, Deploy, Hosted, Phase, World

ENDED: Final = frozenset(
    {"live", "build_failed", "pre_deploy_failed", "update_failed", "canceled", "deactivated"}
)
HEALTH_TIMEOUT: Final = 900.0
"""Seconds after which Render gives up on a new instance whose health check fails."""


def status(hosted: Hosted, deploy: Deploy, now: datetime) -> str:
    """The status of a deploy at this time."""
    past = [phase for phase in deploy.phases if phase.at <= now]
    if not past:
        return "queued" if not deploy.phases else "created"
    last = past[-1].status
    until = served(hosted, deploy)[1] if last == "live" else None
    return "deactivated" if until is not None and until <= now else last


def changed_at(hosted: Hosted, deploy: Deploy, now: datetime) -> datetime:
    """When the status last changed."""
    times = [phase.at for phase in deploy.phases if phase.at <= now]
    until = served(hosted, deploy)[1]
    return max([deploy.created_at, *times, *([until] if until and until <= now else [])])


def finished_at(deploy: Deploy, now: datetime) -> datetime | None:
    """When it ended, None while it has not."""
    last = deploy.phases[-1] if deploy.phases else None
    return last.at if last and last.at <= now and last.status in ENDED else None


def served(hosted: Hosted, deploy: Deploy) -> tuple[datetime | None, datetime | None]:
    """From when to when this deploy served, None for never and for not yet."""
    if not deploy.goes_live:
        return None, None
    start = deploy.phases[-1].at
    return start, next((at for at, _ in hosted.lives if at > start), None)


def serving(hosted: Hosted, now: datetime) -> Deploy | None:
    """The deploy that serves at this time."""
    past = bisect_right(hosted.lives, now, key=lambda pair: pair[0])
    return hosted.lives[past - 1][1] if past else None


def running(hosted: Hosted, now: datetime) -> Deploy | None:
    """The deploy under way at this time."""
    for each in hosted.deploys:
        if each.phases and each.phases[0].at <= now < each.phases[-1].at:
            return each
    return None


def create(
    world: World,
    hosted: Hosted,
    now: datetime,
    trigger: str = "api",
    *,
    commit: Commit | None = None,
    image: str | None = None,
    builds: bool = True,
    rollback_of: str | None = None,
    clear_cache: bool = False,
) -> Deploy:
    """Ask for a deploy. It has no phases yet where another one is under way; a waiting one is superseded."""
    settle(world, now)
    for index, each in enumerate(hosted.deploys):
        if not each.phases:
            hosted.deploys[index] = replace(each, phases=(Phase("canceled", now),))
    deploy = Deploy(
        world.new_id("dep"),
        hosted.spec.id,
        trigger,
        now,
        commit,
        image,
        builds=builds and hosted.spec.runtime != "image",
        rollback_of=rollback_of,
        clear_cache=clear_cache,
    )
    hosted.deploys.append(deploy)
    settle(world, now)
    return find(hosted, deploy.id)


def find(hosted: Hosted, deploy_id: str) -> Deploy:
    """The deploy with this id; KeyError where there is none."""
    for each in hosted.deploys:
        if each.id == deploy_id:
            return each
    raise KeyError(deploy_id)


def settle(world: World, now: datetime) -> None:
    """Begin every waiting deploy whose turn has come."""
    for hosted in world.services.values():
        for index, each in enumerate(hosted.deploys):
            if each.phases:
                continue
            ends = [other.phases[-1].at for other in hosted.deploys if other.phases]
            begin = max([each.created_at, *ends])
            if begin <= now:
                hosted.deploys[index] = _begin(world, hosted, each, begin)


def cancel(world: World, hosted: Hosted, deploy: Deploy, now: datetime) -> Deploy:
    """Stop a deploy that has not ended; what it would still have brought is forgotten."""
    world.forget_after(deploy.id, now)
    own, down = deploy.service_id, Effect(down=True)
    world.effects = [
        e for e in world.effects if (e.resource, e.effect) != (own, down) or (e.end or now) <= now
    ]
    past = tuple(phase for phase in deploy.phases if phase.at <= now)
    canceled = replace(deploy, phases=(*past, Phase("canceled", now)))
    hosted.deploys[hosted.deploys.index(deploy)] = canceled
    step = past[-1].status if past else "queued"
    if step == "build_in_progress":
        _ended(world, canceled, now, "build", "canceled", {})
    if step == "pre_deploy_in_progress":
        _ended(world, canceled, now, "pre_deploy", "canceled", {})
    _ended(world, canceled, now, "deploy", "canceled", {})
    return canceled


def _begin(world: World, hosted: Hosted, deploy: Deploy, begin: datetime) -> Deploy:
    behaviour = world.behaviour(deploy)
    phases = [Phase("created", begin)]
    clock = begin + timedelta(seconds=1.5)
    failed: tuple[str, Json] | None = None
    trigger = _trigger(deploy)
    if deploy.builds:
        details = {"buildId": _part(deploy, "bld"), "trigger": trigger}
        world.happened(hosted.spec.id, clock, "build_started", details, deploy.id)
        phases.append(Phase("build_in_progress", clock))
        build_log(world, hosted, deploy, behaviour, clock)
        clock += timedelta(seconds=behaviour.build_seconds * (1.6 if deploy.clear_cache else 1.0))
        if behaviour.build == "fails":
            failed = ("build_failed", behaviour.build_reason or failures.exited(1))
        _ended(
            world, deploy, clock, "build", "failed" if failed else "succeeded", failed[1] if failed else {}
        )
    if not failed:
        world.happened(
            hosted.spec.id, clock, "deploy_started", {"deployId": deploy.id, "trigger": trigger}, deploy.id
        )
    if not failed and hosted.spec.pre_deploy_command:
        details = {"deployId": deploy.id, "deployCommandExecutionId": _part(deploy, "dce")}
        world.happened(hosted.spec.id, clock, "pre_deploy_started", details, deploy.id)
        phases.append(Phase("pre_deploy_in_progress", clock))
        pre_deploy_log(world, hosted, deploy, behaviour, clock)
        clock += timedelta(seconds=behaviour.pre_deploy_seconds)
        if behaviour.pre_deploy == "fails":
            failed = ("pre_deploy_failed", behaviour.pre_deploy_reason or failures.exited(1))
        word = "failed" if failed else "succeeded"
        _ended(world, deploy, clock, "pre_deploy", word, failed[1] if failed else {})
    if not failed:
        phases.append(Phase("update_in_progress", clock))
        reason, seconds, lines = _update(hosted, behaviour)
        started_log(world, hosted, deploy, lines, clock, seconds, live=reason is None)
        _downtime(world, hosted, clock, seconds)
        if behaviour.pull_message:
            details = {"message": behaviour.pull_message, "imageURL": deploy.image or ""}
            world.happened(hosted.spec.id, clock, "image_pull_failed", details, deploy.id)
        clock += timedelta(seconds=seconds)
        failed = ("update_failed", reason) if reason else None
    phases.append(Phase(failed[0] if failed else "live", clock))
    word = "failed" if failed else "succeeded"
    _ended(world, deploy, clock, "deploy", word, failed[1] if failed else {})
    return replace(deploy, phases=tuple(phases))


def _update(hosted: Hosted, behaviour: Behaviour) -> tuple[Json | None, float, tuple[str, ...]]:
    """Whether the new instance comes up: the reason of its failure, the seconds, and what it writes."""
    spec = hosted.spec
    if behaviour.pull_message:
        return failures.exited(1), 25.0, (f"==> Failed to pull image: {behaviour.pull_message}",)
    absent = [key for key in behaviour.needs if key not in hosted.env]
    if absent:
        lines = (
            f"Error: Environment variable {absent[0]} is not set",
            "    at loadConfig (/opt/render/project/src/config.js:41:11)",
        )
        return failures.exited(1), 95.0, (*behaviour.update_lines, *lines)
    if behaviour.update == "fails":
        return behaviour.update_reason or failures.exited(1), behaviour.update_seconds, behaviour.update_lines
    path = spec.health_check_path
    if spec.kind == "web_service" and path and path not in hosted.profile.healthy_paths:
        text = "HTTP health check failed (unexpected status code: 404)"
        return failures.unhealthy(text), HEALTH_TIMEOUT, (f"GET {path} 404 1 ms",) * 3
    return None, behaviour.update_seconds, behaviour.update_lines


def _downtime(world: World, hosted: Hosted, start: datetime, seconds: float) -> None:
    """With a disk the old instance must stop before the new one starts."""
    if any(disk["serviceId"] == hosted.spec.id for disk in world.kind("disks").values()):
        end = start + timedelta(seconds=seconds)
        world.effects.append(Active(hosted.spec.id, Effect(down=True), start + timedelta(seconds=5), end))


def _ended(world: World, deploy: Deploy, at: datetime, step: str, word: str, failure: Json) -> None:
    reason = {"failure": failure} if failure else {}
    number = {"succeeded": 2, "failed": 3, "canceled": 4}[word]
    details: Json = {"reason": reason, "status": number}
    if step == "build":
        details |= {"buildId": _part(deploy, "bld"), "buildStatus": word}
    elif step == "pre_deploy":
        ids = {"deployId": deploy.id, "deployCommandExecutionId": _part(deploy, "dce")}
        details |= ids | {"preDeployStatus": word}
    else:
        details |= {"deployId": deploy.id, "deployStatus": word}
    world.happened(deploy.service_id, at, f"{step}_ended", details, deploy.id)


def _part(deploy: Deploy, prefix: str) -> str:
    return f"{prefix}-{deploy.id.partition('-')[2]}"


def _trigger(deploy: Deploy) -> Json:
    trigger: Json = {
        "firstBuild": False,
        "envUpdated": False,
        "manual": deploy.trigger in ("manual", "api"),
        "deployedByRender": deploy.trigger == "deployed_by_render",
        "clearCache": deploy.clear_cache,
        "rollback": deploy.trigger == "rollback",
    }
    if deploy.trigger == "new_commit" and deploy.commit:
        trigger["newCommit"] = deploy.commit.id
    if deploy.trigger == "service_updated":
        trigger["updatedProperty"] = "env_vars"
    if deploy.rollback_of:
        trigger["rollbackTargetDeployId"] = deploy.rollback_of
    return trigger
