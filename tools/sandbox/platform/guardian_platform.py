"""The demo's workspace: Guardian's services on Render with two weeks behind them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from tools.sandbox.platform import deploys
from tools.sandbox.platform.clock import Clock
from tools.sandbox.platform.dice import hexadecimal, resource_id
from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.guardian_resources import add_resources
from tools.sandbox.platform.guardian_services import ENVIRONMENT, HISTORY, PENDING, PROFILES, SERVICES
from tools.sandbox.platform.guardian_supabase import guardian_project
from tools.sandbox.platform.keys import OWNER
from tools.sandbox.platform.platform import Platform
from tools.sandbox.platform.world import Commit, Hosted, Service, Sizing, World

SEED: Final = 7


def guardian(seed: int = SEED, clock: Clock | None = None) -> Platform:
    """Guardian on a quiet Tuesday: all works, and two commits of the document worker are not deployed yet."""
    clock = clock or Clock()
    now = clock.now()
    world = World(seed)
    add_resources(world, OWNER, now)
    environment = next(iter(world.kind("environments").values()))
    for index, spec in enumerate(SERVICES):
        key = resource_id("crn" if spec.kind == "cron_job" else "srv", seed, spec.name)
        born = now - timedelta(days=210 - index)
        own = replace(
            spec, id=key, slug=spec.name, created_at=born, updated_at=born, environment_id=environment["id"]
        )
        _host(world, own, now)
        environment["serviceIds"].append(key)
    worker = world.named("guardian-document-worker")
    disk = world.kind("disks")
    for record in disk.values():
        record["serviceId"] = world.named("guardian-ocr").spec.id
    for blueprint in world.kind("blueprints").values():
        managed = [hosted.spec for hosted in world.services.values() if hosted.spec.name != "guardian-ocr"]
        blueprint["resources"].extend({"id": s.id, "name": s.name, "type": s.kind} for s in managed)
    for group in world.kind("env-groups").values():
        names = ("guardian-web", "guardian-document-worker", "guardian-reminders")
        group["links"] = [world.named(name).spec.id for name in names]
    for index, message in enumerate(PENDING):
        worker.commits.append(commit(seed, worker.spec, message, now - timedelta(hours=5 - 2 * index)))
    deploys.settle(world, now)
    return Platform(world, guardian_project(seed, now), clock)


def push(platform: Platform, service: str, message: str, behaviour: Behaviour | None = None) -> Commit:
    """Push a commit to the branch of a service, with what a deploy of it does. Autodeploy acts on it."""
    hosted = platform.world.named(service)
    now = platform.clock.now()
    made = commit(platform.world.seed, hosted.spec, message, now)
    hosted.commits.append(made)
    if behaviour:
        platform.world.behaviours[made.id] = behaviour
    if hosted.spec.auto_deploy and not hosted.spec.suspenders:
        deploys.create(platform.world, hosted, now, "new_commit", commit=made)
    return made


def commit(seed: int, spec: Service, message: str, at: datetime) -> Commit:
    """A commit with an id that follows from its message and time."""
    return Commit(hexadecimal(40, seed, spec.repo, message, at), message, at)


def _host(world: World, spec: Service, now: datetime) -> None:
    hosted = Hosted(spec, PROFILES[spec.name], env=dict(ENVIRONMENT.get(spec.name, {})))
    hosted.sizing.append(Sizing(spec.created_at, spec.plan, spec.num_instances, spec.autoscaling))
    world.services[spec.id] = hosted
    world.happened(spec.id, spec.created_at, "service_resumed", {})
    messages = HISTORY[spec.name]
    for index, message in enumerate(messages):
        part = (len(messages) - 1 - index) / max(1, len(messages) - 1) if len(messages) > 1 else 1.0
        age = timedelta(days=0.9 + 14.2 * part, minutes=-37 * index)
        at = now - age
        if spec.image:
            deploys.create(world, hosted, at, "manual", image=f"{spec.image.partition(':')[0]}:{message}")
            continue
        made = commit(world.seed, spec, message, at - timedelta(minutes=3))
        hosted.commits.append(made)
        trigger = "new_commit" if spec.auto_deploy else "manual"
        deploys.create(world, hosted, at, trigger, commit=made)
