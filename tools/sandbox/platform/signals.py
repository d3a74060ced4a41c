"""What a resource does at a moment: its load, its instances and what they need; a function of the world."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.sandbox.platform.dice import unit
from tools.sandbox.platform.effects import Active
from tools.sandbox.platform.memo import memo
from tools.sandbox.platform.sizes import Size, size_of
from tools.sandbox.platform.world import Autoscaling, Hosted, Profile, Sizing, World

LAG = timedelta(minutes=3)
"""Autoscaling acts on what was measured a little earlier."""


@dataclass(frozen=True, slots=True)
class Signals:
    """The state of a resource at one moment. CPU and memory are those of one instance."""

    per_minute: float
    instances: int
    size: Size
    cpu: float
    memory_mb: float
    error_rate: float
    error_status: int
    latency_ms: tuple[float, float, float]
    connections: float
    disk_mb: float
    down: bool


def profile_of(world: World, resource: str) -> Profile:
    """The normal day of a service, a database or a cache."""
    hosted = world.services.get(resource)
    return hosted.profile if hosted else world.profiles.get(resource, Profile())


def active(world: World, resource: str, moment: datetime) -> list[Active]:
    """Every effect on a resource at this moment, those of the serving release among them."""
    known = memo(world, resource)
    found = [each for each in known.own if each.covers(moment)]
    past = bisect_right(known.releases, moment, key=lambda pair: pair[0])
    if past and (release := known.releases[past - 1][1]):
        found.append(release)
    return found


def demand(world: World, resource: str, moment: datetime) -> float:
    """Requests or jobs a minute: the shape of the day and of the week, bursts, noise and effects."""
    profile = profile_of(world, resource)
    hour = moment.hour + moment.minute / 60
    wave = 1 + profile.swing * math.cos((hour - profile.peak_hour) / 24 * 2 * math.pi)
    week = 0.72 if moment.weekday() >= 5 else 1.0
    burst = math.prod(factor for first, last, factor in profile.bursts if first <= hour < last)
    noise = 0.92 + 0.16 * unit(world.seed, resource, "load", int(moment.timestamp() // 60))
    value = profile.per_minute * wave * week * burst * noise
    for each in active(world, resource, moment):
        value *= _factor(each.effect.traffic, each.strength(moment))
    return value


def sizing_at(hosted: Hosted, moment: datetime) -> Sizing:
    """The plan and the number of instances in force at a moment."""
    past = [each for each in hosted.sizing if each.at <= moment]
    return past[-1] if past else hosted.sizing[0]


def instances_at(world: World, resource: str, moment: datetime) -> int:
    """How many instances run; autoscaling decides every five minutes on slightly older load."""
    hosted = world.services.get(resource)
    if hosted is None:
        return 1
    if hosted.spec.suspenders or hosted.spec.kind in ("cron_job", "static_site"):
        return 0 if hosted.spec.suspenders else 1
    sizing = sizing_at(hosted, moment)
    scaling = sizing.autoscaling
    if scaling is None or not scaling.enabled:
        return sizing.num_instances
    grid = datetime.fromtimestamp(moment.timestamp() // 300 * 300, moment.tzinfo) - LAG
    needed = memo(world, resource).needed
    key = (grid, sizing.at)
    if key not in needed:
        needed[key] = _needed(world, resource, hosted, sizing.plan, scaling, grid)
    return min(scaling.max, max(scaling.min, needed[key]))


def _needed(
    world: World, resource: str, hosted: Hosted, plan: str, scaling: Autoscaling, grid: datetime
) -> int:
    """How many instances the targets ask for."""
    size = size_of(plan)
    needed = 1
    if scaling.cpu:
        total = _cpu_total(world, resource, grid)
        needed = max(needed, math.ceil(total / (size.cpus * scaling.cpu / 100)))
    if scaling.memory:
        memory = profile_of(world, resource).memory_per_request_mb * demand(world, resource, grid)
        room = size.memory_mb * scaling.memory / 100 - hosted.profile.memory_mb
        needed = max(needed, math.ceil(memory / max(1.0, room)))
    return needed


def signals(world: World, resource: str, moment: datetime) -> Signals:
    """Everything that is measured at a moment."""
    known = memo(world, resource).signals
    found = known.get(moment)
    if found is None:
        found = known[moment] = _signals(world, resource, moment)
    return found


def _signals(world: World, resource: str, moment: datetime) -> Signals:
    profile = profile_of(world, resource)
    hosted = world.services.get(resource)
    effects = active(world, resource, moment)
    size = _size(world, resource, moment)
    instances = instances_at(world, resource, moment)
    load = demand(world, resource, moment) if instances else 0.0
    share = load / max(1, instances)
    cpu = profile.cpu_idle + profile.cpu_per_request * share
    for each in effects:
        cpu *= _factor(each.effect.cpu, each.strength(moment))
    wanted = cpu / size.cpus
    cpu = min(cpu, size.cpus * (0.96 + 0.03 * unit(world.seed, resource, "cpu", moment)))
    strain = 1 + max(0.0, wanted - 0.7) * 4 if wanted < 1 else 2.2 + min(12.0, (wanted - 1) * 14)
    errors, code = profile.error_rate, 500
    if wanted > 1.15:
        errors, code = errors + min(0.3, (wanted - 1.15) * 0.25), 502
    latency = _latency(profile, effects, moment, strain)
    for each in effects:
        weight = _weight(profile, each.effect.path)
        added = each.effect.error_rate * weight * each.strength(moment)
        if added > 0:
            errors, code = errors + added, each.effect.error_status
    down = any(each.effect.down for each in effects) or instances == 0 or failed_at(world, resource, moment)
    return Signals(
        load,
        instances,
        size,
        cpu if instances else 0.0,
        _memory(world, resource, profile, effects, share, size, moment) if instances else 0.0,
        min(1.0, 1.0 if down and hosted else errors),
        502 if down else code,
        latency,
        profile.connections * math.prod(_factor(e.effect.connections, e.strength(moment)) for e in effects),
        _disk(profile, effects, moment),
        down,
    )


def crashes(each: Active, until: datetime, since: datetime | None = None) -> list[datetime]:
    """The moments at which an instance failed under this effect, in the window."""
    every = each.effect.crash_every
    if not every:
        return []
    last = min(until, each.end) if each.end else until
    first = max(0, math.ceil(((since or each.start) - each.start).total_seconds() / every) - 1)
    times: list[datetime] = []
    count = max(1, first)
    while (at := each.start + timedelta(seconds=every * count)) < last:
        if since is None or at >= since:
            times.append(at)
        count += 1
    return times


def failed_at(world: World, resource: str, moment: datetime) -> bool:
    """Whether the only instance is just starting again after a failure."""
    if instances_at(world, resource, moment) != 1:
        return False
    for each in active(world, resource, moment):
        back = timedelta(seconds=each.effect.back_after)
        if crashes(each, moment, moment - back):
            return True
    return False


def _cpu_total(world: World, resource: str, moment: datetime) -> float:
    profile = profile_of(world, resource)
    value = profile.cpu_per_request * demand(world, resource, moment)
    for each in active(world, resource, moment):
        value *= _factor(each.effect.cpu, each.strength(moment))
    return value


def _size(world: World, resource: str, moment: datetime) -> Size:
    hosted = world.services.get(resource)
    if hosted:
        return size_of(sizing_at(hosted, moment).plan)
    for kind in ("postgres", "key-value"):
        if resource in world.kind(kind):
            return size_of(str(world.kind(kind)[resource]["plan"]))
    return size_of("starter")


def _factor(factor: float, strength: float) -> float:
    return 1 + (factor - 1) * strength


def _weight(profile: Profile, path: str | None) -> float:
    return 1.0 if path is None else dict(profile.paths).get(path, 0.1)


def _latency(
    profile: Profile, effects: list[Active], moment: datetime, strain: float
) -> tuple[float, float, float]:
    middle, high, highest = (value * strain for value in profile.latency_ms)
    for each in effects:
        gain = _factor(each.effect.latency, each.strength(moment)) - 1
        weight = _weight(profile, each.effect.path)
        middle *= 1 + gain * (1.0 if weight == 1 else weight * 0.2)
        high *= 1 + gain * min(1.0, weight / 0.06)
        highest *= 1 + gain * min(1.0, weight / 0.012)
    return middle, high, highest


def _memory(
    world: World,
    resource: str,
    profile: Profile,
    effects: list[Active],
    share: float,
    size: Size,
    moment: datetime,
) -> float:
    memory = profile.memory_mb + profile.memory_per_request_mb * share
    hosted = world.services.get(resource)
    restarts = [at for at in hosted.restarts if at <= moment] if hosted else []
    for each in effects:
        memory *= _factor(each.effect.memory, each.strength(moment))
        start = max([each.start, *restarts])
        age = (moment - start).total_seconds()
        if each.effect.crash_every:
            age %= each.effect.crash_every
            killed = "oomKilled" in (each.effect.crash or {})
            if killed and not each.effect.memory_mb_per_hour:
                part = age / each.effect.crash_every
                memory = max(memory, memory + (size.memory_mb * 0.995 - memory) * part**1.4)
        memory += each.effect.memory_mb_per_hour * age / 3600
    wobble = 0.99 + 0.02 * unit(world.seed, resource, "memory", int(moment.timestamp() // 60))
    return min(memory * wobble, size.memory_mb * 0.998)


def _disk(profile: Profile, effects: list[Active], moment: datetime) -> float:
    used = profile.disk_used_mb
    for each in effects:
        used += each.effect.disk_mb_per_hour * (moment - each.start).total_seconds() / 3600
    return used
