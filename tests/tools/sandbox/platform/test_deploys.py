"""Deploys run through their steps as the clock goes on, and fail where they were told to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.tools.sandbox.platform.asking import Client, path_of
from tools.sandbox.platform import Behaviour, Effect, Platform, guardian, push
from tools.sandbox.platform.deploys import serving

WEB, WORKER = "guardian-web", "guardian-document-worker"


@pytest.fixture
def platform() -> Platform:
    return guardian()


def statuses(client: Client, path: str, deploy: str, seconds: float, step: float = 5) -> list[str]:
    """The statuses that a deploy runs through."""
    seen: list[str] = []
    for _ in range(int(seconds / step)):
        status = str(client.get(f"{path}/deploys/{deploy}")["status"])
        if not seen or seen[-1] != status:
            seen.append(status)
        client.platform.clock.advance(step)
    return seen


def begin(client: Client, path: str, **fields: Any) -> str:
    """A deploy that begins at once."""
    answer = client.ask("POST", f"{path}/deploys", json=fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_deploy_runs_through_its_steps_and_replaces_the_one_before(platform: Platform):
    client, path = Client(platform), path_of(platform, WEB)
    before = client.get(f"{path}/deploys", limit=1)[0]["deploy"]["id"]
    deploy = begin(client, path)
    assert statuses(client, path, deploy, 240) == [
        "created",
        "build_in_progress",
        "pre_deploy_in_progress",
        "update_in_progress",
        "live",
    ]
    assert client.get(f"{path}/deploys/{before}")["status"] == "deactivated"
    ended = client.get(f"{path}/deploys/{deploy}")
    assert ended["startedAt"] < ended["finishedAt"] == ended["updatedAt"]


def test_while_one_runs_the_next_is_queued_without_a_body_and_a_third_replaces_it(platform: Platform):
    client, path = Client(platform), path_of(platform, WORKER)
    first = begin(client, path)
    for _ in range(2):
        queued = client.ask("POST", f"{path}/deploys", json={})
        assert (queued.status_code, queued.content) == (202, b"")
    listed = [each["deploy"] for each in client.get(f"{path}/deploys", limit=3)]
    assert [each["status"] for each in listed] == ["queued", "canceled", "created"]
    assert [each["finishedAt"] is None for each in listed] == [True, False, True]
    platform.clock.advance(600)
    listed = [each["deploy"] for each in client.get(f"{path}/deploys", limit=3)]
    assert [each["status"] for each in listed] == ["live", "canceled", "deactivated"]
    assert listed[2]["id"] == first


@pytest.mark.parametrize(
    ("behaviour", "status", "event"),
    [
        (Behaviour(build="fails", build_lines=("npm error code ERESOLVE",)), "build_failed", "build_ended"),
        (Behaviour(pre_deploy="fails"), "pre_deploy_failed", "pre_deploy_ended"),
        (Behaviour(update="fails"), "update_failed", "deploy_ended"),
        (Behaviour(needs=("NO_SUCH_KEY",)), "update_failed", "deploy_ended"),
    ],
)
def test_a_failed_step_ends_the_deploy_and_the_old_release_serves(
    platform: Platform, behaviour: Behaviour, status: str, event: str
):
    client, path = Client(platform), path_of(platform, WEB)
    hosted = platform.world.named(WEB)
    before = serving(hosted, platform.clock.now())
    push(platform, WEB, "Something new", behaviour)
    platform.clock.advance(400)
    newest = client.get(f"{path}/deploys", limit=1)[0]["deploy"]
    assert (newest["status"], newest["trigger"]) == (status, "new_commit")
    assert serving(hosted, platform.clock.now()) == before
    events = [each["event"] for each in client.get(f"{path}/events", type=event, limit=1)]
    assert events[0]["details"]["reason"]["failure"] == {"evicted": False, "nonZeroExit": 1}


def test_a_missing_variable_is_named_in_the_log_and_mended_by_setting_it(platform: Platform):
    client, path = Client(platform), path_of(platform, WORKER)
    push(platform, WORKER, "Normalizer", Behaviour(needs=("NORMALIZER_URL",)))
    begin(client, path)
    platform.clock.advance(400)
    assert any("NORMALIZER_URL" in line["message"] for line in client.logs(WORKER, level="error", limit=5))
    client.ask("PUT", f"{path}/env-vars/NORMALIZER_URL", json={"value": "https://normalizer.example"})
    deploy = begin(client, path)
    platform.clock.advance(400)
    assert client.get(f"{path}/deploys/{deploy}")["status"] == "live"


def test_a_wrong_health_path_keeps_the_deploy_waiting_for_fifteen_minutes(platform: Platform):
    client, path = Client(platform), path_of(platform, WEB)
    client.ask("PATCH", path, json={"serviceDetails": {"healthCheckPath": "/nowhere"}})
    deploy = begin(client, path)
    platform.clock.advance(600)
    assert client.get(f"{path}/deploys/{deploy}")["status"] == "update_in_progress"
    platform.clock.advance(600)
    assert client.get(f"{path}/deploys/{deploy}")["status"] == "update_failed"
    reason = client.get(f"{path}/events", type="deploy_ended", limit=1)[0]["event"]["details"]["reason"]
    assert "404" in reason["failure"]["unhealthy"]


def test_a_bad_release_goes_live_and_a_rollback_ends_its_errors_but_leaves_autodeploy_on(platform: Platform):
    client, path = Client(platform), path_of(platform, WEB)
    good = client.get(f"{path}/deploys", limit=1)[0]["deploy"]
    push(platform, WEB, "New search", Behaviour(effect=Effect(error_rate=0.3, latency=5)))
    platform.clock.advance(600)
    assert share_of_errors(client) > 0.2
    answer = client.ask("POST", f"{path}/rollback", json={"deployId": good["id"]})
    assert answer.status_code == 201
    assert (answer.json()["trigger"], answer.json()["commit"]) == ("rollback", good["commit"])
    deploy = answer.json()["id"]
    assert "build_in_progress" not in statuses(client, path, deploy, 120)
    platform.clock.advance(600)
    assert share_of_errors(client) < 0.01
    assert client.get(path)["autoDeploy"] == "yes"


def share_of_errors(client: Client) -> float:
    resource = client.platform.world.named(WEB).spec.id
    now = client.platform.clock.now()
    start = now.timestamp() - 240
    series = client.get(
        "/metrics/http-requests", resource=resource, startTime=start, aggregateBy="statusCode"
    )
    counts = {each["labels"][1]["value"]: sum(point["value"] for point in each["values"]) for each in series}
    return sum(count for code, count in counts.items() if code >= "500") / sum(counts.values())


def test_a_canceled_deploy_leaves_no_later_event_or_line(platform: Platform):
    client, path = Client(platform), path_of(platform, WEB)
    deploy = begin(client, path)
    platform.clock.advance(30)
    assert client.ask("POST", f"{path}/deploys/{deploy}/cancel").json()["status"] == "canceled"
    again = client.ask("POST", f"{path}/deploys/{deploy}/cancel")
    assert (again.status_code, again.json()) == (400, {"message": "deploy is not in progress"})
    platform.clock.advance(600)
    assert client.get(f"{path}/deploys/{deploy}")["status"] == "canceled"
    newest = client.get(f"{path}/events", limit=2)
    assert [each["event"]["type"] for each in newest] == ["deploy_ended", "build_ended"]
    assert newest[0]["event"]["details"]["deployStatus"] == "canceled"


def test_what_cannot_be_deployed_is_refused(platform: Platform):
    client, path = Client(platform), path_of(platform, WEB)
    cron = path_of(platform, "guardian-reminders")
    for at, fields in (
        (path, {"commitId": "ffffffffff"}),
        (path, {"clearCache": "yes"}),
        (path, {"deployMode": "deploy_only", "clearCache": "clear"}),
        (path, {"imageUrl": "nginx:1"}),
        (cron, {"commitId": platform.world.named("guardian-reminders").commits[0].id}),
    ):
        answer = client.ask("POST", f"{at}/deploys", json=fields)
        assert answer.status_code in (400, 404)
        assert set(answer.json()) == {"message"}
    assert client.ask("POST", f"{cron}/rollback", json={"deployId": "dep-x"}).status_code == 404
    client.ask("POST", f"{path}/suspend")
    assert client.ask("POST", f"{path}/deploys", json={}).status_code == 400


def test_resume_deploys_the_last_release_again(platform: Platform):
    client, path = Client(platform), path_of(platform, WEB)
    suspended = client.ask("POST", f"{path}/suspend")
    assert (suspended.status_code, suspended.content) == (202, b"")
    assert client.get(path)["suspenders"] == ["user"]
    assert client.get(f"{path}/instances") == []
    client.ask("POST", f"{path}/resume")
    assert client.get(f"{path}/deploys", limit=1)[0]["deploy"]["trigger"] == "service_resumed"
    platform.clock.advance(300)
    assert len(client.get(f"{path}/instances")) == 2


def test_two_weeks_lie_behind_every_service(platform: Platform):
    client = Client(platform)
    start = (platform.clock.now() - timedelta(days=14)).isoformat()
    for name, hosted in ((each.spec.name, each) for each in platform.world.services.values()):
        first = min(deploy.phases[-1].at for deploy in hosted.deploys)
        assert platform.clock.now() - first > timedelta(days=14), name
    resource = platform.world.named(WORKER).spec.id
    series = client.get("/metrics/memory", resource=resource, startTime=start, resolutionSeconds=21600)
    assert sum(len(each["values"]) for each in series) == 56
    pending = platform.world.named(WORKER).commits[-2:]
    release = serving(platform.world.named(WORKER), platform.clock.now())
    assert release and release.commit not in pending


def test_a_canceled_deploy_of_a_service_with_a_disk_costs_nothing(platform: Platform):
    next(iter(platform.world.kind("disks").values()))["serviceId"] = platform.world.named(WEB).spec.id
    client, path = Client(platform), path_of(platform, WEB)
    deploy = begin(client, path)
    client.ask("POST", f"{path}/deploys/{deploy}/cancel")
    for _ in range(30):
        platform.clock.advance(9)
        assert client.ask("GET", "https://guardian-web.onrender.com/health").status_code == 200


def test_a_disk_costs_a_moment_of_downtime(platform: Platform):
    world = platform.world
    web = world.named(WEB).spec
    next(iter(world.kind("disks").values()))["serviceId"] = web.id
    client, path = Client(platform), path_of(platform, WEB)
    begin(client, path)
    seen: set[int] = set()
    for _ in range(60):
        seen.add(client.ask("GET", "https://guardian-web.onrender.com/health").status_code)
        platform.clock.advance(4)
    assert seen == {200, 502}
