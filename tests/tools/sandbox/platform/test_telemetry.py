"""Events, logs and metrics tell one story, and the same one each time."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.tools.sandbox.platform.asking import Client, path_of
from tools.sandbox.platform import OWNER, Active, Effect, Line, Platform, guardian, incidents
from tools.sandbox.platform.clock import moment_of
from tools.sandbox.platform.failures import out_of_memory

WEB, WORKER = "guardian-web", "guardian-document-worker"


@pytest.fixture
def platform() -> Platform:
    return guardian()


def series(client: Client, name: str, service: str, hours: float, **more: object) -> list[list[float]]:
    resource = client.platform.world.named(service).spec.id
    start = (client.platform.clock.now() - timedelta(hours=hours)).isoformat()
    found = client.get(f"/metrics/{name}", resource=resource, startTime=start, **more)
    return [[point["value"] for point in each["values"]] for each in found]


def test_the_same_world_gives_the_same_answers():
    def told() -> list[object]:
        client = Client(guardian())
        return [
            client.logs(WEB, limit=50),
            series(client, "cpu", WEB, 1),
            series(client, "http-requests", WEB, 3),
        ]

    assert told() == told()
    other = Client(guardian(seed=8))
    assert other.logs(WEB, limit=5) != told()[0]


def test_load_has_the_shape_of_a_day_and_autoscaling_follows_it(platform: Platform):
    client = Client(platform)
    requests = series(client, "http-requests", WEB, 24, resolutionSeconds=3600)[0]
    assert max(requests) > 2.5 * min(requests)
    counts = series(client, "instance-count", WEB, 24, resolutionSeconds=3600)[0]
    assert min(counts) == 2.0
    effect = Effect(traffic=4.0)
    web = platform.world.named(WEB).spec.id
    platform.world.effects.append(Active(web, effect, platform.clock.now()))
    platform.clock.advance(1200)
    assert series(client, "instance-count", WEB, 0.1)[0][-1] == 5.0
    kinds = [each["event"]["type"] for each in client.get(f"{path_of(platform, WEB)}/events", limit=2)]
    assert kinds == ["autoscaling_ended", "autoscaling_started"]


def test_an_overloaded_service_is_slow_and_stays_within_its_limits(platform: Platform):
    client = Client(platform)
    calm = series(client, "http-latency", WEB, 0.2, quantile=0.95)[0][-1]
    web = platform.world.named(WEB).spec.id
    platform.world.effects.append(Active(web, Effect(traffic=8.0), platform.clock.now()))
    platform.clock.advance(1800)
    assert series(client, "http-latency", WEB, 0.1, quantile=0.95)[0][-1] > 3 * calm
    used, limits = series(client, "cpu", WEB, 0.1), series(client, "cpu-limit", WEB, 0.1)
    assert all(
        0.9 * top < value <= top
        for own, tops in zip(used, limits, strict=True)
        for value, top in zip(own, tops, strict=True)
    )


def test_quantiles_rise(platform: Platform):
    client = Client(platform)
    levels = [
        series(client, "http-latency", WEB, 0.1, quantile=part)[0][0] for part in (0.5, 0.9, 0.95, 0.99)
    ]
    assert levels == sorted(levels) and levels[3] > 4 * levels[0]


def test_memory_climbs_to_the_limit_before_each_kill(platform: Platform):
    client, now = Client(platform), platform.clock.now()
    worker = platform.world.named(WORKER).spec.id
    effect = Effect(crash_every=600, crash=out_of_memory("4Gi"), last_words=("killed soon",))
    platform.world.effects.append(Active(worker, effect, now))
    platform.clock.advance(1500)
    found = client.get(f"{path_of(platform, WORKER)}/events", type="server_failed")
    assert [each["event"]["details"]["reason"] for each in found[:2]] == [out_of_memory("4Gi")] * 2
    memory = series(client, "memory", WORKER, 0.4)[0]
    limit = series(client, "memory-limit", WORKER, 0.1)[0][0]
    assert max(memory) > 0.85 * limit and min(memory) < 0.5 * limit
    assert [line["message"] for line in client.logs(WORKER, text="killed soon")] == ["killed soon"] * 2


def test_a_restart_gives_leaked_memory_back(platform: Platform):
    client = Client(platform)
    worker = platform.world.named(WORKER).spec.id
    platform.world.effects.append(Active(worker, Effect(memory_mb_per_hour=900), platform.clock.now()))
    platform.clock.advance(7200)
    before = series(client, "memory", WORKER, 0.1)[0][-1]
    assert client.ask("POST", f"{path_of(platform, WORKER)}/restart").status_code == 200
    platform.clock.advance(120)
    assert series(client, "memory", WORKER, 0.03)[0][-1] < before - 1500 * 1024 * 1024


def test_a_leak_climbs_in_a_line_whatever_the_load_is():
    platform = guardian()
    leak = next(each for each in incidents.ALL if each.name == "memory-leak")
    leak.plant(platform, 1)
    client = Client(platform)
    resource = platform.world.named(WEB).spec.id
    start = (platform.clock.now() - timedelta(hours=2)).isoformat()
    found = client.get("/metrics/memory", resource=resource, startTime=start, resolutionSeconds=1200)[0]
    memory = [point["value"] for point in found["values"]]
    assert all(later > earlier for earlier, later in pairwise(memory))
    assert memory[-1] - memory[0] > 1e9
    killed = client.get(f"{path_of(platform, WEB)}/events", type="server_failed")
    assert len(killed) == 2


def test_log_pages_join_without_gap_or_repetition(platform: Platform):
    client = Client(platform)
    resource = platform.world.named(WEB).spec.id
    now = platform.clock.now()
    for direction in ("backward", "forward"):
        query: dict[str, object] = {
            "ownerId": OWNER,
            "resource": resource,
            "direction": direction,
            "limit": 25,
        }
        query["startTime"] = (now - timedelta(minutes=30)).isoformat()
        seen: list[str] = []
        while True:
            page = client.get("/logs", **query)
            seen.extend(line["id"] for line in page["logs"])
            if not page["hasMore"]:
                break
            query |= {"startTime": page["nextStartTime"], "endTime": page["nextEndTime"]}
        assert len(seen) == len(set(seen)) > 100


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"type": "request", "statusCode": "5*"}, "]50"),
        ({"type": "request", "method": "POST"}, "[POST]"),
        ({"text": "timeline*ms="}, "timeline"),
        ({"text": "/uploads? aborted|TIMELINE loaded/"}, "nothing"),
        ({"path": "/api/time*"}, "/api/timeline"),
        ({"text": "TIMELINE LOADED"}, "timeline loaded"),
    ],
)
def test_log_filters(platform: Platform, filters: dict[str, str], holds: str):
    web = platform.world.named(WEB).spec.id
    start = platform.clock.now() - timedelta(hours=1)
    platform.world.effects.append(Active(web, Effect(error_rate=0.02), start))
    lines = Client(platform).logs(WEB, limit=20, **filters)
    assert bool(lines) == (holds != "nothing")
    assert all(holds in line["message"] for line in lines)


def test_request_lines_carry_the_labels_of_requests(platform: Platform):
    line = Client(platform).logs(WEB, type="request", limit=1)[0]
    assert {pair["name"] for pair in line["labels"]} == {
        "resource",
        "instance",
        "level",
        "type",
        "host",
        "statusCode",
        "method",
        "path",
    }


def test_the_logs_hold_values_that_must_be_hidden(platform: Platform):
    texts = " ".join(line["message"] for line in Client(platform).logs(WORKER, limit=100))
    assert "dob=" in texts and "mrn=MRN-" in texts and "patient=" in texts


def test_other_questions_to_the_logs_are_refused(platform: Platform):
    client = Client(platform)
    web, worker = (platform.world.named(name).spec.id for name in (WEB, WORKER))
    assert client.ask("GET", "/logs", params={"ownerId": OWNER}).status_code == 400
    assert client.ask("GET", "/logs", params={"ownerId": "tea-other", "resource": web}).status_code == 404
    assert client.ask("GET", "/logs", params={"ownerId": OWNER, "resource": "srv-none"}).status_code == 404
    assert (
        client.ask("GET", "/logs", params={"ownerId": OWNER, "resource": web, "limit": 101}).status_code
        == 400
    )
    both = client.get("/logs", ownerId=OWNER, resource=[web, worker], limit=100)["logs"]
    assert {pair["value"] for line in both for pair in line["labels"] if pair["name"] == "resource"} == {
        web,
        worker,
    }
    platform.world.named(WEB).change(platform.clock.now(), region="frankfurt")
    assert client.ask("GET", "/logs", params={"ownerId": OWNER, "resource": [web, worker]}).status_code == 400
    assert (
        client.ask("GET", "/metrics/cpu", params={"resource": web, "resolutionSeconds": 10}).status_code
        == 400
    )


def test_cron_jobs_run_when_they_are_due(platform: Platform):
    client = Client(platform)
    path = path_of(platform, "guardian-reminders")
    start = (platform.clock.now() - timedelta(hours=2)).isoformat()
    found = client.get(f"{path}/events", type="cron_job_run_started", startTime=start)
    times = [moment_of(each["event"]["timestamp"]) for each in found]
    assert len(times) == 9 and {at.minute for at in times} == {0, 15, 30, 45}
    sweep = client.get(
        f"{path_of(platform, 'guardian-retention-sweep')}/events", type="cron_job_run_ended", limit=3
    )
    assert {each["event"]["details"]["status"] for each in sweep} == {"successful"}


def test_lines_of_an_effect_come_and_go_with_it(platform: Platform):
    now = platform.clock.now()
    worker = platform.world.named(WORKER).spec.id
    effect = Effect(lines=(Line("error ECONNREFUSED {ip}", 4.0),))
    platform.world.effects.append(Active(worker, effect, now - timedelta(hours=3), now - timedelta(hours=2)))
    client = Client(platform)
    assert client.logs(WORKER, text="ECONNREFUSED") == []
    then = (now - timedelta(hours=4)).isoformat()
    lines = client.logs(WORKER, text="ECONNREFUSED", startTime=then, limit=100)
    assert len(lines) == 100 and all("203.0.113." in line["message"] for line in lines)


def test_metrics_of_datastores_and_disks(platform: Platform):
    client = Client(platform)
    database = next(iter(platform.world.kind("postgres")))
    ocr = platform.world.named("guardian-ocr").spec.id
    assert client.get("/metrics/active-connections", resource=database)[0]["unit"] == "connections"
    assert client.get("/metrics/cpu", resource=database)[0]["values"]
    used = client.get("/metrics/disk-usage", resource=ocr)[0]["values"][0]["value"]
    assert 0 < used < client.get("/metrics/disk-capacity", resource=ocr)[0]["values"][0]["value"]
    assert (
        client.get("/metrics/bandwidth-sources", resource=ocr)["data"][0]["labels"]["trafficSource"]
        == "total"
    )
    assert "/api/timeline" in client.get("/metrics/filters/path", resource=platform.world.named(WEB).spec.id)
