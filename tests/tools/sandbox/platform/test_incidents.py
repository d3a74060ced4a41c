"""Every seeded incident shows symptoms, differs by its seed, and never says its cause."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tools.sandbox.platform.asking import Client, path_of
from tools.sandbox.platform import Platform, guardian, incidents
from tools.sandbox.platform.incidents import Cause, Incident
from tools.sandbox.platform.signals import signals

QUIET = {
    "autoscaling_started",
    "autoscaling_ended",
    "cron_job_run_started",
    "commit_ignored",
    "server_restarted",
}


def planted(incident: Incident, seed: int) -> Platform:
    platform = guardian()
    incident.plant(platform, seed)
    return platform


def shown(platform: Platform, service: str) -> tuple[list[Any], list[Any]]:
    """The events and the wrong lines of the last hours."""
    client = Client(platform)
    start = (platform.clock.now() - timedelta(hours=30)).isoformat()
    events = client.get(f"{path_of(platform, service)}/events", startTime=start, limit=60)
    lines = client.logs(service, startTime=start, level=["error", "warning"], limit=60)
    return [each["event"] for each in events], [each["message"] for each in lines]


def test_there_is_one_file_for_each_and_every_cause_has_one():
    folder = Path(incidents.__file__).parent
    files = {file.stem for file in folder.glob("*.py")} - {"__init__", "causes", "noise", "scene"}
    names = [incident.name for incident in incidents.ALL]
    assert len(names) == len(set(names)) == len(files) >= 30
    assert {incident.cause for incident in incidents.ALL} == set(Cause)


@pytest.mark.parametrize("incident", incidents.ALL, ids=lambda incident: incident.name)
def test_an_incident_has_symptoms_and_keeps_its_secret(incident: Incident):
    platform = planted(incident, 1)
    world, now = platform.world, platform.clock.now()
    own = world.named(incident.service)
    events, lines = shown(platform, incident.service)
    normal = guardian()
    usual_events, _ = shown(normal, incident.service)
    calm = signals(normal.world, own.spec.id, now)
    state = signals(world, own.spec.id, now)
    told = [each for each in events if each not in usual_events and each["type"] not in QUIET]
    louder = (
        state.error_rate > 4 * calm.error_rate + 0.004
        or state.latency_ms[1] > 2 * calm.latency_ms[1]
        or state.cpu > 1.6 * calm.cpu
        or state.memory_mb > 1.3 * calm.memory_mb
    )
    noisy = len(lines) > 20 and len({re.sub(r"\d+", "", each)[:30] for each in lines[:40]}) < 36
    assert told or louder or noisy, "nothing can be seen"
    written = " ".join(lines).lower() + str(told).lower()
    assert incident.cause.replace("_", " ") not in written and incident.cause not in written.split()


@pytest.mark.parametrize("incident", incidents.ALL[::6], ids=lambda incident: incident.name)
def test_the_seed_decides_and_nothing_else(incident: Incident):
    first, again, other = (shown(planted(incident, seed), incident.service) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_distraction_is_not_a_symptom():
    platform = planted(incidents.ALL[0], 3)
    worker = platform.world.named("guardian-document-worker").spec.id
    assert signals(platform.world, worker, platform.clock.now()).error_rate < 0.01
    assert Client(platform).logs("guardian-document-worker", level=["error", "warning"])
