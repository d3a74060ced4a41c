"""The events of a service: those noted, and those that follow from effects, schedules and autoscaling."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tools.sandbox.platform import deploys
from tools.sandbox.platform.clock import stamp
from tools.sandbox.platform.crons import run_events
from tools.sandbox.platform.dice import resource_id
from tools.sandbox.platform.effects import Active
from tools.sandbox.platform.instances import instance_ids
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.signals import crashes, instances_at
from tools.sandbox.platform.world import Event, Hosted, World

AUTOSCALING_STEP = timedelta(minutes=5)


def events(world: World, hosted: Hosted, start: datetime, end: datetime) -> list[Event]:
    """What happened in the window, newest first."""
    own = hosted.spec.id
    found = [each for each in world.events if each.service_id == own and start <= each.at <= end]
    if hosted.spec.kind == "cron_job":
        found.extend(run_events(world, hosted, start, end))
    else:
        for each in _effects(world, hosted):
            found.extend(_failures(world, hosted, each, start, end))
    if hosted.spec.autoscaling and hosted.spec.autoscaling.enabled:
        found.extend(_autoscaling(world, hosted, start, end))
    return sorted(found, key=lambda each: each.at)[::-1]  # of two at once the later noted comes first


def wire(event: Event) -> Json:
    """An event as the API gives it."""
    return {
        "id": event.id,
        "timestamp": stamp(event.at),
        "serviceId": event.service_id,
        "type": event.type,
        "details": event.details,
    }


def _effects(world: World, hosted: Hosted) -> Iterator[Active]:
    yield from (each for each in world.effects if each.resource == hosted.spec.id)
    for deploy in hosted.deploys:
        start, end = deploys.served(hosted, deploy)
        if start:
            yield Active(hosted.spec.id, world.behaviour(deploy).effect, start, end)


def _failures(world: World, hosted: Hosted, each: Active, start: datetime, end: datetime) -> Iterator[Event]:
    own = hosted.spec.id
    for at in crashes(each, end, start):
        running = instance_ids(world, own, at)
        if not running or each.effect.crash is None:
            continue
        details = {"instanceID": running[0], "reason": each.effect.crash}
        yield Event(resource_id("evt", own, at, "failed"), own, at, "server_failed", details)
        back = at + timedelta(seconds=each.effect.back_after)
        if back <= end and (each.end is None or back < each.end):
            yield Event(resource_id("evt", own, at, "back"), own, back, "server_available", {})


def _autoscaling(world: World, hosted: Hosted, start: datetime, end: datetime) -> Iterator[Event]:
    own = hosted.spec.id
    first = max(start, hosted.sizing[0].at) if hosted.sizing else start
    at = datetime.fromtimestamp(first.timestamp() // 300 * 300, first.tzinfo) + AUTOSCALING_STEP
    before = instances_at(world, own, at - AUTOSCALING_STEP)
    while at <= end:
        count = instances_at(world, own, at)
        if count != before:
            details = {"fromInstances": before, "toInstances": count}
            yield Event(resource_id("evt", own, at, "scaling"), own, at, "autoscaling_started", details)
            done = at + timedelta(seconds=48)
            if done <= end:
                yield Event(resource_id("evt", own, at, "scaled"), own, done, "autoscaling_ended", details)
        before = count
        at += AUTOSCALING_STEP
