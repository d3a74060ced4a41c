"""review_cost on the simulated platform: several shapes of load, and what comes of each proposal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.simulated import simulated_gate, simulated_resources
from tests.tools.render.costing.estate import carry_out, fullest, only, reviewed, shaped
from tools.errors import ConfigurationError, NotFound
from tools.render.costing.prices import prices
from tools.render.review_cost import ReviewCost, review_cost
from tools.resources import Resources
from tools.sandbox.platform import Active, Effect, Platform, guardian
from tools.sandbox.platform.clock import stamp
from tools.sandbox.platform.failures import out_of_memory
from tools.sandbox.platform.world import Autoscaling, Profile

pytestmark = pytest.mark.anyio
WEB, WORKER, OCR, CRON = "guardian-web", "guardian-document-worker", "guardian-ocr", "guardian-reminders"
SHAPES = {
    "level": Profile(per_minute=60, swing=0.1, cpu_per_request=0.002, memory_mb=250),
    "a strong day": Profile(per_minute=300, swing=0.95, cpu_per_request=0.004, memory_mb=180),
    "a nightly burst": Profile(
        per_minute=40, swing=0.1, bursts=((1.0, 4.0, 6.0),), cpu_per_request=0.004, memory_mb=220
    ),
    "hungry for memory": Profile(per_minute=30, memory_mb=1500, memory_per_request_mb=4.0),
}


SCALED = Autoscaling(True, 2, 6, cpu=60)


@pytest.mark.parametrize(
    ("shape", "plan", "instances", "scaling", "change"),
    [
        ("level", "4c-8g", 1, None, "plan 4c-8g → 0.5c-512mb"),
        ("a strong day", "1c-2g", 5, None, "autoscaling 2-"),
        ("a strong day", "2c-4g", 2, SCALED, "plan 2c-4g → "),
        ("a nightly burst", "4c-8g", 1, None, "plan 4c-8g → 2c-4g"),
        ("hungry for memory", "4c-8g", 1, None, "plan 4c-8g → 2c-4g"),
        ("hungry for memory", "1c-2g", 2, None, ""),
    ],
)
async def test_with_the_proposal_the_same_two_weeks_reach_no_limit(
    shape: str, plan: str, instances: int, scaling: Autoscaling | None, change: str
):
    platform = only(WEB)
    shaped(platform, WEB, SHAPES[shape], plan=plan, instances=instances, autoscaling=scaling)
    found = await reviewed(platform)
    if not change:
        assert found.proposals == ()
        return
    (best,) = found.proposals
    assert best.change.startswith(change)
    carry_out(platform, best.do)
    cpu, memory, count = fullest(platform, WEB)
    assert cpu < 0.85 and memory < 0.8 and count >= min(instances, 2)
    price = prices().plan("service", platform.world.named(WEB).sizing[0].plan)
    before = found.lines[0].month
    assert price and before
    saved = before - count * price.month
    assert 0.75 * saved <= best.saves <= 1.1 * saved, "rather too little is promised than too much"


async def test_guardian_as_a_person_reads_it():
    platform = guardian()
    text = (await reviewed(platform)).markdown()
    assert "list prices of 2026-10-02 (53 days old)" in text
    assert "| guardian-web | web_service | 2c-4g | 2-5 by cpu 65 %, mean 2.0 | $170 |" in text
    assert "1. **guardian-web: plan 2c-4g → 1c-2g" in text
    assert "LOWER THE HEAP FIRST: --max-old-space-size 3072 MB" in text
    assert "render.yaml of blueprint guardian must say the same" in text
    assert "guardian-ocr is at the limit of 1c-2g" in text
    assert "at least pro, as autoscaling is on" in text
    assert "Supabase compute | supabase | Large" in text and "Medium would cost $51 less" in text
    assert "Not examined:" in text and len(text.splitlines()) <= 50
    assert {asked.method for asked in platform.requests} == {"GET"}


async def test_through_the_gate_nothing_of_it_is_masked(tmp_path: Path):
    platform = only(OCR)
    shaped(platform, OCR, SHAPES["level"], plan="4c-8g")
    outcome = await simulated_gate(platform, tmp_path / "audit.jsonl").call("review_cost", {})
    assert outcome.result is not None
    assert outcome.result.markdown() == (await reviewed(platform)).markdown()


async def test_a_spike_that_an_hour_hides_protects_the_size():
    platform = only(WEB)
    shaped(platform, WEB, SHAPES["level"], plan="2c-4g")
    assert (await reviewed(platform)).proposals
    start = platform.clock.now() - timedelta(days=5, minutes=17)
    spike = Effect(cpu=9.0, memory=9.0)
    key = platform.world.named(WEB).spec.id
    platform.world.effects.append(Active(key, spike, start, start + timedelta(minutes=6)))
    found = await reviewed(platform)
    for each in found.proposals:
        carry_out(platform, each.do)
        cpu, memory, _ = fullest(platform, WEB, days=6, step=1)
        assert cpu < 0.95 and memory < 0.95


async def test_a_service_that_was_killed_for_want_of_memory_keeps_its_plan():
    platform = only(WEB)
    shaped(platform, WEB, SHAPES["level"], plan="2c-4g")
    key, now = platform.world.named(WEB).spec.id, platform.clock.now()
    crash = Effect(crash_every=7200, crash=out_of_memory("4Gi"))
    platform.world.effects.append(Active(key, crash, now - timedelta(days=2), now - timedelta(days=1)))
    found = await reviewed(platform)
    assert found.proposals == () and any("killed" in note for note in found.notes)


async def test_a_new_service_gets_no_proposal_and_that_is_said():
    platform = only(WEB)
    shaped(platform, WEB, SHAPES["level"], plan="4c-8g")
    hosted = platform.world.named(WEB)
    lately = platform.clock.now() - timedelta(days=3)
    hosted.deploys = [each for each in hosted.deploys if each.created_at > lately]
    assert hosted.deploys
    found = await reviewed(platform)
    assert found.proposals == ()
    assert any(text.startswith(f"{WEB}: ") and "too few" in text for text in found.unexamined)


async def test_a_web_service_that_nobody_asks_is_suspended():
    platform = only(WEB)
    shaped(platform, WEB, Profile(per_minute=0.0, cpu_idle=0.01, memory_mb=120), plan="1c-2g", instances=2)
    found = await reviewed(platform)
    best = found.proposals[0]
    assert best.change == "suspend: unused" and best.saves == 50 and best.confidence == "medium"
    assert best.do == f'change_service(service="{WEB}", action="suspend")' and "resume" in best.undo


async def test_an_idle_worker_is_only_a_guess():
    platform = only(WORKER)
    shaped(platform, WORKER, Profile(per_minute=0.0, cpu_idle=0.01, memory_mb=120), plan="1c-2g")
    best = (await reviewed(platform)).proposals[0]
    assert best.change == "suspend: unused" and best.confidence == "low" and "queues" in best.because


async def test_staging_is_switched_off_at_night_and_production_is_not():
    day = Profile(per_minute=8, swing=0.99, peak_hour=13, cpu_per_request=0.02, memory_mb=300)
    platform = only(WEB)
    shaped(platform, WEB, day, plan="0.5c-512mb", instances=2)
    assert not any("off from" in each.change for each in (await reviewed(platform)).proposals)
    environment = next(iter(platform.world.kind("environments").values()))
    environment["name"] = "staging"
    found = await reviewed(platform)
    best = found.proposals[0]
    assert best.change == "off from 20:00 to 06:00 UTC", best.change
    assert best.saves == pytest.approx(14 * 10 / 24, abs=0.01)
    assert 'action="suspend"' in best.do and "a person sets up the schedule" in best.do


async def test_suspended_services_cost_only_their_disk():
    platform = only(OCR)
    hosted = platform.world.named(OCR)
    hosted.spec = replace(
        hosted.spec, suspenders=("user",), updated_at=platform.clock.now() - timedelta(days=90)
    )
    found = await reviewed(platform)
    line = found.lines[0]
    assert (line.plan, line.month) == ("suspended", 2.5)
    assert "delete its disk" in found.proposals[0].change and found.proposals[0].undo.startswith("none")


async def test_a_cron_job_that_never_runs_is_named():
    platform = only(CRON)
    platform.world.named(CRON).deploys.clear()
    found = await reviewed(platform)
    assert any("has not run in 14 days" in note and "suspend" in note for note in found.notes)
    assert not any("has not run" in note for note in (await reviewed(only(CRON))).notes)


async def test_postgres_and_key_value_that_are_too_large():
    platform = only("guardian-jobs", "guardian-queue")
    (database,) = platform.world.kind("postgres").values()
    (cache,) = platform.world.kind("key-value").values()
    database |= {"plan": "2c-8g", "diskSizeGB": 100}
    cache["plan"] = "5g"
    found = await reviewed(platform, like="guardian-j")
    changes = {each.change: each for each in found.proposals}
    assert set(changes) == {"storage 100 → 15 GB"}, "what memory can hold of the data, it goes on holding"
    assert changes["storage 100 → 15 GB"].do.startswith("a person")
    assert found.lines[0].month == 100 + 30
    (key,) = platform.world.kind("postgres")
    platform.world.profiles[key] = replace(platform.world.profiles[key], disk_used_mb=1500)
    found = await reviewed(platform, like="guardian-j")
    smaller = next(each for each in found.proposals if each.change.startswith("plan"))
    assert (smaller.change, smaller.saves, smaller.confidence) == ("plan 2c-8g → 1c-2g", 60, "medium")
    database["plan"] = "pro_32gb"
    found = await reviewed(platform, like="guardian-j")
    smaller = next(each for each in found.proposals if each.change.startswith("plan"))
    assert smaller.confidence == "low" and "would give it back is not known" in smaller.because
    cheaper = (await reviewed(platform, like="guardian-q")).proposals[0]
    assert cheaper.change == "plan 5g → 1g" and cheaper.confidence == "low" and "noeviction" in cheaper.risk


async def test_a_database_that_nobody_connects_to():
    platform = only("guardian-jobs")
    (key,) = platform.world.kind("postgres")
    platform.world.profiles[key] = replace(platform.world.profiles[key], connections=0.001)
    found = await reviewed(platform, like="guardian-jobs")
    assert found.proposals[0].change == "suspend: unused" and found.proposals[0].saves == 19


async def test_old_and_unknown_plan_names():
    platform = only(OCR, "guardian-jobs")
    (database,) = platform.world.kind("postgres").values()
    database["plan"] = "custom"
    shaped(platform, OCR, SHAPES["level"], plan="standard")
    found = await reviewed(platform)
    lines = {line.name: line for line in found.lines}
    assert lines[OCR].plan == "1c-2g" and lines[OCR].month == 25 + 2.5
    assert lines["guardian-jobs"].month is None
    assert any("guardian-jobs (plan custom)" in text for text in found.unknown)
    assert "| unknown |" in found.markdown()


async def test_a_name_that_nothing_has_is_an_error_and_a_part_is_called_a_part():
    platform = only(OCR)
    with pytest.raises(NotFound, match="'zzz'"):
        await reviewed(platform, like="zzz")
    text = (await reviewed(platform, like="ocr")).markdown()
    assert "everything without 'ocr' in its name" in text and "Bandwidth" not in text


async def test_the_workspace_is_counted_where_a_person_names_it():
    found = await reviewed(only("guardian-help"), workspace="pro")
    workspace = next(line for line in found.lines if line.kind == "workspace")
    assert workspace.month == 25 and "25 GB of them included" in found.notes[0]
    assert "seats of the workspace" in found.unknown


@pytest.mark.parametrize("path", ["/metrics/memory$", "/metrics/cpu$", "/events$"])
async def test_what_cannot_be_read_gives_no_proposal_and_is_said(path: str):
    platform = only(WEB)
    shaped(platform, WEB, SHAPES["level"], plan="4c-8g")
    platform.faults.add("status", "GET", path, times=50, status=500)
    found = await reviewed(platform)
    assert found.proposals == () and found.month == 175
    assert any(WEB in text for text in found.unexamined)


async def test_rate_limits_are_waited_out():
    platform = only(OCR)
    shaped(platform, OCR, SHAPES["level"], plan="4c-8g")
    platform.faults.add("status", "GET", "/metrics/cpu$", status=429, retry_after=3)
    assert (await reviewed(platform)).proposals
    assert sum(1 for each in platform.requests if each.path.endswith("/metrics/cpu")) == 4


async def test_without_supabase_it_says_so_and_without_render_it_fails():
    platform = only("guardian-help")
    resources = replace(simulated_resources(platform), supabase_or_none=None)
    assert "- Supabase (no access token" in (await review_cost.body(ReviewCost(), resources)).markdown()
    with pytest.raises(ConfigurationError):
        await review_cost.body(ReviewCost(), Resources())


async def test_an_old_preview_branch_of_supabase():
    platform = only("guardian-help", supabase=True)
    assert platform.project
    platform.project.branches[:] = [
        {"id": "b-1", "name": "main", "is_default": True},
        {"id": "b-2", "name": "pr-7", "persistent": False, "created_at": _ago(platform, 40)},
        {"id": "b-3", "name": "pr-9", "persistent": False, "created_at": _ago(platform, 2)},
    ]
    found = await reviewed(platform)
    branches = next(line for line in found.lines if line.name == "Supabase branches")
    assert branches.plan.startswith("2 branches") and branches.month == pytest.approx(2 * 9.81, abs=0.02)
    old = [each for each in found.proposals if each.resource.startswith("branch")]
    assert [each.resource for each in old] == ["branch pr-7"] and old[0].do.startswith("a person")


def _ago(platform: Platform, days: int) -> str:
    return stamp(platform.clock.now() - timedelta(days=days))
