"""Faults, rate limits and keys: what a client must live with."""

from __future__ import annotations

import httpx
import pytest

from tests.tools.sandbox.platform.asking import Client, path_of
from tools.sandbox.platform import RENDER_STRANGER, RENDER_VIEWER, Platform, guardian

WORKER = "guardian-document-worker"


@pytest.fixture
def platform() -> Platform:
    return guardian()


def count(platform: Platform) -> int:
    return len(platform.world.named(WORKER).deploys)


def test_each_fault_hits_the_matching_requests_in_turn(platform: Platform):
    client, path = Client(platform), path_of(platform, WORKER)
    platform.faults.add("status", "GET", "/deploys", status=503, times=2, message="try later")
    platform.faults.add("status", "GET", "/deploys", status=429, retry_after=7)
    platform.faults.add("html", "GET", "/deploys")
    answers = [client.ask("GET", f"{path}/deploys") for _ in range(5)]
    assert [each.status_code for each in answers] == [503, 503, 429, 502, 200]
    assert answers[0].json() == {"message": "try later"}
    assert answers[2].headers["retry-after"] == "7"
    assert "<html>" in answers[3].text
    assert client.ask("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("kind", "error", "took"),
    [
        ("timeout", httpx.ReadTimeout, 0),
        ("dropped", httpx.RemoteProtocolError, 0),
        ("timeout_after", httpx.ReadTimeout, 1),
        ("dropped_after", httpx.RemoteProtocolError, 1),
    ],
)
def test_a_lost_answer_may_have_taken_effect(
    platform: Platform, kind: str, error: type[Exception], took: int
):
    client, path = Client(platform), path_of(platform, WORKER)
    before = count(platform)
    platform.faults.add(kind, "POST", "/deploys")  # pyright: ignore[reportArgumentType]  # a kind by its name
    with pytest.raises(error):
        client.ask("POST", f"{path}/deploys", json={})
    assert count(platform) == before + took


def test_a_fault_may_wait_for_some_good_requests(platform: Platform):
    client, path = Client(platform), path_of(platform, WORKER)
    platform.faults.add("status", "GET", "/deploys", skip=2, status=500)
    assert [client.ask("GET", f"{path}/deploys").status_code for _ in range(4)] == [200, 200, 500, 200]


def test_limits_count_down_refuse_and_open_again(platform: Platform):
    client, path = Client(platform), path_of(platform, WORKER)
    answers = [client.ask("POST", f"{path}/deploys", json={}) for _ in range(11)]
    assert [each.headers["ratelimit-remaining"] for each in answers[:10]] == [
        str(left) for left in range(9, -1, -1)
    ]
    assert answers[0].headers["ratelimit-limit"] == "10"
    refused = answers[10]
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) == int(refused.headers["ratelimit-reset"]) <= 60
    platform.clock.advance(float(refused.headers["retry-after"]))
    assert client.ask("POST", f"{path}/deploys", json={}).status_code == 202
    assert client.ask("GET", path).headers["ratelimit-limit"] == "400"


def test_keys_may_do_what_their_role_allows(platform: Platform):
    path = path_of(platform, WORKER)
    assert Client(platform, key="rnd_wrong").ask("GET", path).status_code == 401
    viewer = Client(platform, key=RENDER_VIEWER.text)
    assert viewer.ask("GET", path).status_code == 200
    assert {each["envVar"]["value"] for each in viewer.get(f"{path}/env-vars")} == {""}
    before = count(platform)
    assert viewer.ask("POST", f"{path}/deploys", json={}).status_code == 403
    assert count(platform) == before
    stranger = Client(platform, key=RENDER_STRANGER.text)
    assert stranger.ask("GET", path).status_code == 404
    assert stranger.get("/services") == []


def test_what_was_asked_is_kept(platform: Platform):
    client = Client(platform)
    client.get("/services", limit=1)
    asked = platform.requests[-1]
    assert (asked.api, asked.method, asked.path, asked.query) == ("render", "GET", "/v1/services", "limit=1")
