"""The list of causes, what measurements say, and which cause stands above which."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.diagnose.later import LATER
from benchmarks.diagnose.variants import VARIANTS
from tests.tools.render.diagnosing.observed import (
    NOW,
    ago,
    event,
    failed_deploy,
    said,
    saying,
    service,
    snapshot,
    track,
)
from tools.render.diagnosing import causes
from tools.render.diagnosing.causes import CAUSES
from tools.render.diagnosing.evidence import Group, Line, Measured, Store, Supabase, heap_of
from tools.render.diagnosing.queues import growth
from tools.render.diagnosing.ranking import diagnose
from tools.render.diagnosing.tracks import Track, ratio
from tools.render.models import Deploy
from tools.sandbox.platform import incidents

NAMES = {kind.name for kind in CAUSES}


def test_every_file_is_listed_once_and_documented() -> None:
    files = {path.stem for path in Path(str(causes.__file__)).parent.glob("*.py")} - {"__init__"}
    assert files == NAMES
    assert len(CAUSES) == len(NAMES)
    for kind in CAUSES:
        for heading in ("What it is", "How it shows", "Next step"):
            assert f"\n{heading}\n" in kind.doc, kind.name
        assert set(kind.brings) <= NAMES - {kind.name}, kind.name


def test_every_known_incident_has_a_cause_of_that_name() -> None:
    wanted = {str(each.cause) for each in incidents.ALL} | {each.cause for each in (*VARIANTS, *LATER)}
    assert wanted - {""} <= NAMES


def test_a_heap_limit_above_the_plan_explains_the_kills() -> None:
    killed = event("server_failed", 20, reason={"evicted": False, "oomKilled": {"memoryLimit": "2Gi"}})
    limit = Measured(memory_limit=track([2048.0] * 4))
    found = diagnose(snapshot(events=(killed,), measured=limit, heap_mb=2000))
    assert found.top is not None
    assert found.top.cause.name == "heap_too_large"
    below = next(each for each in found.ranked if each.cause.name == "out_of_memory")
    assert below.follows == "heap_too_large"
    modest = diagnose(snapshot(events=(killed,), measured=limit, heap_mb=1500))
    assert modest.top is not None
    assert modest.top.cause.name == "out_of_memory"


def test_a_steady_rise_is_a_leak_and_a_rise_with_the_load_is_not() -> None:
    limit = track([2048.0] * 120)
    rise = [600 + 9.0 * i for i in range(120)]
    leak = diagnose(snapshot(measured=Measured(memory=(track(rise, label="a"),), memory_limit=limit)))
    assert leak.top is not None
    assert leak.top.cause.name == "memory_leak"
    load = tuple(track([10 + i * 0.9 + (i % 7) for i in range(120)], label="200") for _ in range(1))
    with_load = [400 + 6 * value for value in load[0].values]
    same = Measured(memory=(track(with_load, label="a"),), memory_limit=limit, requests=load)
    assert diagnose(snapshot(measured=same)).top is None


def test_a_queue_is_followed_line_by_line_of_one_wording() -> None:
    lines = [Line(ago(200 - 10 * i), f"heartbeat jobs=1 queue={40 * i}") for i in range(20)]
    other = [Line(ago(199 - 10 * i), f"mail queue={3} at rest") for i in range(20)]
    grown = growth([*lines, *other])
    assert grown is not None
    assert grown[0] == "queue"
    assert grown[2] > 600
    assert growth(other) is None


def test_a_release_right_before_the_errors_is_named_with_a_way_back() -> None:
    deploys = tuple(
        Deploy.model_validate({"id": key, "status": status, "createdAt": at, "finishedAt": at})
        for key, status, at in (("dep-2", "live", ago(32)), ("dep-1", "deactivated", ago(2000)))
    )
    found = diagnose(saying("TypeError: x is not a function", deploys=deploys))
    assert found.top is not None
    assert found.top.cause.name == "deploy_errors"
    assert found.release is not None
    assert found.release.before is not None
    assert (found.release.deploy.id, found.release.before.id) == ("dep-2", "dep-1")
    assert diagnose(saying("TypeError: x is not a function")).top is None


def test_a_changed_group_stands_above_what_it_broke() -> None:
    group = Group("shared", "evg-1", frozenset({"QUEUE_URL"}), ago(35))
    line = said("Error: getaddrinfo ENOTFOUND red-staging", minutes=30)
    found = diagnose(snapshot(said=(line,), groups=(group,)))
    assert [each.cause.name for each in found.ranked][:2] == ["env_group_change", "dns_failure"]
    long_ago = Group("shared", "evg-1", frozenset({"QUEUE_URL"}), ago(9000))
    alone = diagnose(snapshot(said=(line,), groups=(long_ago,)))
    assert [each.cause.name for each in alone.ranked] == ["dns_failure"]


def test_the_state_of_a_store_makes_it_sure() -> None:
    words = "Error: connect ECONNREFUSED 10.1.1.1:6379"
    down = Store("queue", "Key Value", "unavailable", "oregon", False)
    sure, unsure = diagnose(saying(words, key_values=(down,))).top, diagnose(saying(words)).top
    assert sure is not None
    assert unsure is not None
    assert sure.cause.score > unsure.cause.score
    assert "unavailable" in sure.cause.evidence[0]


def test_a_region_apart_is_a_hint_until_it_is_slow() -> None:
    apart = Supabase(region="eu-central-1", status="ACTIVE_HEALTHY")
    calm = diagnose(snapshot(supabase=apart))
    assert calm.top is None
    assert [(r.cause.name, r.confidence) for r in calm.ranked] == [("region_mismatch", "hint")]
    slow = diagnose(snapshot(supabase=apart, measured=Measured(p50=track([320.0] * 100))))
    assert slow.top is not None
    assert slow.top.cause.name == "region_mismatch"
    beside = Supabase(region="us-west-2", status="ACTIVE_HEALTHY")
    assert not diagnose(snapshot(supabase=beside)).ranked


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ({"nonZeroExit": 127}, "bad_start_command"),
        ({"earlyExit": True}, "bad_start_command"),
        ({"unhealthy": "HTTP health check failed (unexpected status code: 404)"}, "wrong_health_path"),
        ({"unhealthy": "HTTP health check failed (timed out after 5 seconds)"}, "slow_start"),
        ({"oomKilled": {"memoryLimit": "512Mi"}}, "out_of_memory"),
        ({"timedOutSeconds": 900}, "slow_start"),
        ({"nonZeroExit": 1}, "start_crash"),
    ],
)
def test_the_reason_alone_may_say_it(reason: dict[str, object], cause: str) -> None:
    top = diagnose(failed_deploy("update_failed", [], **reason)).top
    assert top is not None
    assert top.cause.name == cause


def test_suspension_and_maintenance_are_read_from_the_settings() -> None:
    held = service().model_copy(update={"suspended": "suspended", "suspenders": ("billing",)})
    top = diagnose(snapshot(service=held)).top
    assert top is not None
    assert (top.cause.name, top.confidence) == ("service_suspended", "confirmed")
    assert "bill" in top.cause.next_step
    kept = service(maintenanceMode={"enabled": True, "uri": ""})
    top = diagnose(snapshot(service=kept)).top
    assert top is not None
    assert top.cause.name == "maintenance_mode"


def test_an_episode_needs_more_than_one_reading_and_has_an_end() -> None:
    since, gap = ago(300), timedelta(minutes=15)
    spike = track([1.0] * 50 + [90.0] + [1.0] * 30)
    assert spike.episode(10, since=since, gap=gap) is None
    over = track([1.0] * 50 + [90.0] * 10 + [1.0] * 30).episode(10, since=since, gap=gap)
    assert over is not None
    assert over.end is not None
    lasting = track([1.0] * 50 + [90.0] * 10).episode(10, since=since, gap=gap)
    assert lasting is not None
    assert (lasting.end, lasting.usual) == (None, 1.0)
    assert Track().episode(10, since=since, gap=gap) is None


def test_a_share_uses_the_limit_in_force() -> None:
    limit = Track(((ago(60), 100.0), (ago(10), 50.0)))
    used = Track(((ago(40), 50.0), (ago(5), 50.0), (NOW, 25.0)))
    assert ratio(used, limit).values == [0.5, 1.0, 0.5]
    assert not ratio(used, Track())


def test_the_heap_is_found_in_options_and_commands() -> None:
    assert heap_of(["--enable-source-maps --max-old-space-size=3072"]) == 3072
    assert heap_of(["node --max_old_space_size 512 dist/a.js"]) == 512
    assert heap_of(["node dist/a.js", ""]) is None
