"""Right-sizing: whatever the load, no proposal goes below what any hour needed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.render.costing.estate import GIB, NOW, load, service, size
from tools.render.costing import sizing
from tools.render.costing.load import Load
from tools.render.costing.prices import prices
from tools.render.costing.proposal import Proposal
from tools.render.models import Service

PLANS = [plan for plan, *_ in prices().plans("service")]


def proposed(this: Service, seen: Load) -> Proposal | None:
    return sizing.propose(this, seen, prices(), NOW)


def arguments(do: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="?([\w.-]+)"?', do.partition("(")[2]))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Service, Load]:
    """A service of any plan and scale, with two weeks of any shape on it, often with a spike."""
    plan = draw(st.sampled_from(PLANS))
    own = size(plan)
    assert own.cpus
    scaled = draw(st.booleans())
    lowest = draw(st.integers(1, 6))
    highest = lowest + draw(st.integers(0, 4))
    level, swing = draw(st.floats(0.001, 0.9)), draw(st.floats(0, 0.5))
    memory = draw(st.floats(0.01, 0.9))
    spikes = draw(st.dictionaries(st.integers(0, 335), st.floats(1, 6), max_size=3))
    tops = draw(st.lists(st.integers(lowest, highest), min_size=14, max_size=14))
    counts = [float(tops[n // 24] if scaled and n % 24 < 6 else lowest) for n in range(336)]

    def cpu(n: int) -> float:
        wave = 1 + swing * (1 if 8 <= n % 24 < 18 else -1)
        return min(own.cpus or 1, level * wave * (own.cpus or 1) * spikes.get(n, 1.0))

    def used(n: int) -> float:
        return min(1.0, memory * spikes.get((n + 7) % 336, 1.0)) * own.memory

    details: dict[str, Any] = {"numInstances": lowest}
    if scaled:
        target = draw(st.integers(40, 90))
        criteria = {"cpu": {"enabled": True, "percentage": target}, "memory": {"enabled": False}}
        details["autoscaling"] = {"enabled": True, "min": lowest, "max": highest, "criteria": criteria}
    kind = draw(st.sampled_from(["web_service", "private_service", "background_worker"]))
    return service(plan, kind, **details), load(cpu, used, instances=counts)


@settings(max_examples=120, deadline=None)
@given(cases())
def test_no_proposal_goes_below_what_any_hour_needed(case: tuple[Service, Load]):
    this, seen = case
    best = proposed(this, seen)
    if best is None:
        return
    said, details = arguments(best.do), this.service_details
    scaling = details.autoscaling
    own = size(said.get("plan", details.plan))
    assert own.cpus
    if said["action"] == "autoscaling":
        least, most = int(said["lowest"]), int(said["highest"])
    elif said["action"] == "scale":
        least = most = int(said["instances"])
    else:
        least, most = (scaling.min, scaling.max) if scaling else (details.num_instances or 1,) * 2
    for hour in seen.hours:
        assert most * own.cpus * 0.81 >= hour.cpu * hour.instances
        assert own.memory * 0.76 >= hour.memory
        assert most * own.memory >= hour.memory * hour.instances
    if this.type != "background_worker" and (scaling.min if scaling else details.num_instances or 1) >= 2:
        assert least >= 2
    assert best.saves >= sizing.WORTH and best.undo and best.risk and best.evidence


def test_the_property_is_not_vacuous():
    best = proposed(service("4c-8g"), load(lambda _: 0.3))
    assert best and best.change == "plan 4c-8g → 0.5c-512mb"
    assert best.saves == 168.0 and best.confidence == "high"
    assert best.do == 'change_service(service="web", action="change_plan", plan="0.5c-512mb")'
    assert best.undo == 'change_service(service="web", action="change_plan", plan="4c-8g")'


@pytest.mark.parametrize("hours", [0, 24, 100, 167])
def test_too_little_metrics_propose_nothing(hours: int):
    assert proposed(service("4c-8g"), load(lambda _: 0.1, hours=hours)) is None


def test_a_single_spike_of_memory_protects_the_plan():
    calm, spike = 0.4 * GIB, 3.2 * GIB
    assert proposed(service("2c-4g"), load(lambda _: 0.1, lambda _: calm)) is not None
    assert proposed(service("2c-4g"), load(lambda _: 0.1, lambda n: spike if n == 200 else calm)) is None


@pytest.mark.parametrize(
    "seen",
    [
        load(lambda n: 2.0 if n == 99 else 0.1),
        load(lambda _: 0.1, lambda n: 4 * GIB if n == 99 else GIB),
        load(lambda _: 0.1, killed=1),
        load(lambda _: 0.1, events_read=False),
    ],
    ids=["cpu at its limit", "memory at its limit", "killed for want of memory", "events not read"],
)
def test_what_reached_a_limit_or_is_unknown_gives_nothing(seen: Load):
    assert proposed(service("2c-4g"), seen) is None


@pytest.mark.parametrize("plan", ["custom", "", "free", "starter_plus"])
def test_a_plan_of_unknown_price_or_size_is_left_alone(plan: str):
    assert proposed(service(plan), load(lambda _: 0.01)) is None


def test_a_fixed_number_that_follows_no_day_becomes_autoscaling():
    seen = load(lambda n: 0.3 if 9 <= n % 24 < 17 else 0.03, instances=6.0)
    best = proposed(service("0.5c-512mb", numInstances=6), seen)
    assert best and best.change.startswith("autoscaling")
    said = arguments(best.do)
    assert said["action"] == "autoscaling" and int(said["lowest"]) < 6 <= int(said["highest"])
    assert "quietest about" in best.evidence and "pro or higher" in best.risk
    assert 'action="scale", instances=6' in best.undo


def test_a_service_with_a_disk_is_never_scaled():
    seen = load(lambda n: 0.3 if 9 <= n % 24 < 17 else 0.03, instances=1.0)
    disk = {"id": "dsk-1", "name": "d", "sizeGB": 5, "mountPath": "/d"}
    best = proposed(service("2c-4g", disk=disk), seen)
    assert best and 'action="change_plan"' in best.do and "downtime" in best.risk


def test_autoscaling_by_memory_is_not_second_guessed():
    criteria = {"cpu": {"enabled": True, "percentage": 60}, "memory": {"enabled": True, "percentage": 60}}
    scaled = {"enabled": True, "min": 2, "max": 6, "criteria": criteria}
    assert proposed(service("4c-8g", autoscaling=scaled), load(lambda _: 0.1, instances=2.0)) is None


def test_confidence_says_why_it_is_low():
    growing = load(lambda n: 0.1 + n / 500, instances=1.0)
    level, because = sizing.confidence(growing, NOW)
    assert level == "low" and "grew by" in because
    assert sizing.confidence(load(lambda _: 0.1, hours=200), NOW)[0] == "medium"
    fresh = sizing.confidence(load(lambda _: 0.1, released=NOW), NOW)
    assert fresh[0] == "medium" and "deployed 0 h ago" in fresh[1]


def test_what_is_too_small_is_said_with_the_price_of_more():
    said = sizing.tight(service("1c-2g"), load(lambda _: 0.95), prices())
    assert "cpu p95 95%" in said and "2c-4g costs $60 more" in said
    assert sizing.tight(service("1c-2g"), load(lambda _: 0.3), prices()) == ""
