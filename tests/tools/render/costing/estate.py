"""Small simulated workspaces whose load has a shape, and loads made by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.simulated import simulated_resources
from tools.render.costing.load import HOUR, Hour, Load, spread
from tools.render.costing.prices import Size, size_of
from tools.render.models import Service
from tools.render.review_cost import CostReview, ReviewCost, review_cost
from tools.sandbox.platform import Platform, guardian
from tools.sandbox.platform.signals import signals
from tools.sandbox.platform.world import Autoscaling, Profile, Sizing

NOW = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
GIB = 2.0**30


def only(*names: str, supabase: bool = False) -> Platform:
    """Guardian with just these services, databases and caches; `supabase`: and its project."""
    platform = guardian()
    platform.project = platform.project if supabase else None
    world = platform.world
    for key, hosted in list(world.services.items()):
        if hosted.spec.name not in names:
            del world.services[key]
    for kind in ("postgres", "key-value"):
        for key, record in list(world.kind(kind).items()):
            if record["name"] not in names:
                del world.kind(kind)[key]
    return platform


def shaped(
    platform: Platform,
    name: str,
    profile: Profile,
    *,
    plan: str,
    instances: int = 1,
    autoscaling: Autoscaling | None = None,
) -> None:
    """Give a service this load and this size, as if it always had both."""
    hosted = platform.world.named(name)
    hosted.profile = profile
    hosted.env.clear()
    hosted.spec = replace(hosted.spec, plan=plan, num_instances=instances, autoscaling=autoscaling)
    hosted.sizing[:] = [Sizing(hosted.spec.created_at, plan, instances, autoscaling)]


async def reviewed(platform: Platform, **params: str) -> CostReview:
    """What the tool answers."""
    found = await review_cost.body(ReviewCost.model_validate(params), simulated_resources(platform))
    assert isinstance(found, CostReview)
    return found


def carry_out(platform: Platform, do: str) -> None:
    """The size that a change_service call asks for, as if the service had had it for two weeks."""
    said = dict(re.findall(r'(\w+)="?([\w.-]+)"?', do.partition("(")[2]))
    hosted = platform.world.named(said["service"])
    old = hosted.sizing[-1]
    if said["action"] == "change_plan":
        new = replace(old, plan=said["plan"])
    elif said["action"] == "scale":
        new = replace(old, num_instances=int(said["instances"]))
    else:
        assert said["action"] == "autoscaling"
        bounds = Autoscaling(True, int(said["lowest"]), int(said["highest"]), cpu=int(said["cpu"]))
        new = replace(old, autoscaling=bounds)
    hosted.sizing[:] = [new]


def fullest(platform: Platform, name: str, days: int = 14, step: int = 10) -> tuple[float, float, float]:
    """The highest shares of CPU and memory over the last days, and the mean number of instances."""
    key, now = platform.world.named(name).spec.id, platform.clock.now()
    cpu = memory = 0.0
    count = total = 0
    at = now - timedelta(days=days)
    while at < now:
        seen = signals(platform.world, key, at)
        cpu, memory = max(cpu, seen.cpu / seen.size.cpus), max(memory, seen.memory_mb / seen.size.memory_mb)
        count, total = count + seen.instances, total + 1
        at += timedelta(minutes=step)
    return cpu, memory, count / total


def load(
    cpu: Callable[[int], float],
    memory: Callable[[int], float] = lambda _: 0.2 * GIB,
    *,
    instances: Sequence[float] | float = 1.0,
    hours: int = 336,
    **fields: object,
) -> Load:
    """A load by hand: CPU and memory of one instance by the number of the hour."""
    first = NOW - 336 * HOUR
    counts = list(instances) if isinstance(instances, Sequence) else [float(instances)] * hours
    made = tuple(Hour(first + HOUR * n, cpu(n), memory(n), counts[n]) for n in range(hours))
    known = {
        "hours": made,
        "cpu": spread([each.cpu for each in made], [each.cpu for each in made]),
        "memory": spread([each.memory for each in made], [each.memory for each in made]),
        "instances": sum(counts) / len(counts) if counts else None,
        "released": NOW - timedelta(days=9),
    }
    return Load(336, **(known | fields))  # type: ignore[arg-type]  # fields of Load, by name


def service(plan: str = "2c-4g", kind: str = "web_service", **details: object) -> Service:
    """A service as Render answers."""
    shown = {"plan": plan, "numInstances": 1, **details}
    known = {"id": "srv-abc123def456", "name": "web", "type": kind, "serviceDetails": shown}
    return Service.model_validate(known)


def size(plan: str) -> Size:
    """The size of a plan that is known."""
    found = size_of(plan)
    assert found is not None
    return found
