"""What is sent again and what never is, how limits are shared, and that no secret comes out."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httpx
import pytest

from tools.errors import (
    ConfigurationError,
    Conflict,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    SergeiError,
    Unavailable,
)
from tools.http.limits import RateLimits
from tools.http.secret import Secret, is_secret_name, masked
from tools.render.client import LogQuery, RenderClient
from tools.render.models import Service
from tools.supabase.client import SupabaseClient

pytestmark = pytest.mark.anyio
KEY = "rnd_Abcdefgh1234567890XyZ"
Answer = httpx.Response | Exception


class Vendor:
    """Answers in the given order, then repeats the last; its clock moves only while somebody waits."""

    def __init__(self, *answers: Answer) -> None:
        self.answers: list[Answer] = list(answers)
        self.asked: list[httpx.Request] = []
        self.waits: list[float] = []
        self.told: list[str] = []
        self.time = 1_000.0

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The next answer; an exception is raised as the network would."""
        self.asked.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)

    async def pause(self, seconds: float) -> None:
        """Waits no time at all."""
        self.waits.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)

    def render(self) -> RenderClient:
        """A client of this vendor."""
        return RenderClient(
            Secret(KEY),
            transport=httpx.MockTransport(self.answer),
            pause=self.pause,
            clock=lambda: self.time,
            progress=self.told.append,
        )


def limited(remaining: int, reset: int = 20, status: int = 200) -> httpx.Response:
    """An answer with Render's headers."""
    told = {"ratelimit-limit": "2", "ratelimit-remaining": str(remaining), "ratelimit-reset": str(reset)}
    return httpx.Response(status, headers=told, json={"id": "srv-1"})


OK = httpx.Response(200, json={"id": "srv-1"})
DEPLOY = httpx.Response(201, json={"id": "dep-1", "status": "created", "commit": None})


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("no"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(502),
        httpx.Response(503),
        httpx.Response(504, text="<html>gateway</html>"),
        httpx.Response(429, headers={"retry-after": "7"}),
    ],
)
async def test_a_read_is_sent_again(trouble: Answer):
    vendor = Vendor(trouble, trouble, OK)
    assert (await vendor.render().get_service("srv-1")).id == "srv-1"
    assert len(vendor.asked) == 3
    limited = isinstance(trouble, httpx.Response) and trouble.status_code == 429
    assert vendor.waits == ([7, 7] if limited else [1, 2])
    assert all("Render" in line for line in vendor.told) and len(vendor.told) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadTimeout("slow"),
        httpx.WriteError("cut"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(500, json={"message": "boom"}),
        httpx.Response(502),
        httpx.Response(503),
        httpx.Response(504),
    ],
)
async def test_a_change_that_may_have_happened_is_never_sent_again(trouble: Answer):
    vendor = Vendor(trouble, DEPLOY)
    with pytest.raises(OutcomeUnknown, match="may have happened") as caught:
        await vendor.render().create_deploy("srv-1", commit="0123abc")
    assert len(vendor.asked) == 1 and vendor.waits == []
    assert not caught.value.retry and "Look" in caught.value.hint


@pytest.mark.parametrize(
    "trouble", [httpx.ConnectError("no"), httpx.ConnectTimeout("no"), httpx.Response(429)]
)
async def test_a_change_that_did_not_happen_is_sent_again(trouble: Answer):
    vendor = Vendor(trouble, DEPLOY)
    deploy = await vendor.render().create_deploy("srv-1")
    assert deploy is not None and deploy.id == "dep-1" and len(vendor.asked) == 2


async def test_patches_and_runs_of_cron_jobs_are_changes_too():
    vendor = Vendor(httpx.ReadTimeout("slow"))
    with pytest.raises(OutcomeUnknown):
        await vendor.render().update_service("srv-1", auto_deploy=False)
    with pytest.raises(OutcomeUnknown):
        await vendor.render().cancel_cron_job_run("crn-1")
    assert len(vendor.asked) == 2


async def test_a_deletion_whose_answer_was_lost_is_done_when_it_is_gone():
    vendor = Vendor(httpx.ReadTimeout("slow"), httpx.Response(404, json={"message": "not found"}))
    await vendor.render().delete_env_var("srv-1", "TOKEN")
    assert len(vendor.asked) == 2
    absent = Vendor(httpx.ConnectError("no"), httpx.Response(404, json={"message": "not found"}))
    with pytest.raises(NotFound):
        await absent.render().delete_env_var("srv-1", "TOKEN")


async def test_it_gives_up_with_the_last_trouble():
    vendor = Vendor(httpx.ReadTimeout("slow"))
    with pytest.raises(Unavailable, match="did not answer"):
        await vendor.render().get_service("srv-1")
    assert len(vendor.asked) == 5
    busy = Vendor(httpx.Response(503, text="busy"))
    with pytest.raises(RemoteError, match="503"):
        await busy.render().get_service("srv-1")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput), (401, ConfigurationError), (402, Unavailable), (403, Refused), (404, NotFound),
        (406, InvalidInput), (409, Conflict), (410, NotFound), (418, RemoteError), (422, InvalidInput),
        (302, RemoteError), (500, RemoteError),
    ],
)  # fmt: skip
async def test_a_refusal_is_one_of_our_errors(status: int, kind: type[SergeiError]):
    vendor = Vendor(httpx.Response(status, json={"message": "srv-1 is wrong"}))
    with pytest.raises(SergeiError) as caught:
        await vendor.render().get_service("srv-1")
    assert type(caught.value) is kind and caught.value.code == str(status)
    assert "srv-1 is wrong" in str(caught.value) and len(vendor.asked) == 1
    if status in {401, 403}:
        assert "RENDER_API_KEY" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!DOCTYPE html><html><body>nginx</body></html>", "(an HTML page)"),
        (b"", "(409)"),
        (b"plain words", "plain words"),
        (b'{"error": {"message": "inner"}}', "inner"),
        (b'{"errors": [{"message": "one"}, "two"]}', "one; two"),
        (b'{"id": "x"}', "(409)"),
        (b"\xff\xfe\x00", "(409)"),
        (b"[" * 5_000, "(409)"),
    ],
)
async def test_an_error_body_may_be_anything(content: bytes, says: str):
    vendor = Vendor(httpx.Response(409, content=content))
    with pytest.raises(Conflict) as caught:
        await vendor.render().get_service("srv-1")
    assert says in str(caught.value) and len(str(caught.value)) < 500


async def test_an_error_repeats_neither_the_key_nor_a_value_that_was_sent():
    value = "correct horse battery"
    told = f"bad value {value} with {KEY} and postgresql://u:hunter2222@db/x for maria@clinic.test"
    vendor = Vendor(httpx.Response(400, json={"message": told}))
    with pytest.raises(InvalidInput) as caught:
        await vendor.render().set_env_var("srv-1", "TOKEN", Secret(value))
    for secret in (value, KEY, "hunter2222", "maria@clinic.test"):
        assert secret not in str(caught.value)
    assert value in vendor.asked[0].content.decode()


@pytest.mark.parametrize(
    ("body", "where"),
    [(b'{"name": "x"}', "id"), (b"[]", "whole"), (b"not json", "not JSON"), (b'{"id": {"a": 1}}', "id")],
)
async def test_an_answer_of_another_shape_is_said_without_its_content(body: bytes, where: str):
    vendor = Vendor(httpx.Response(200, content=body))
    with pytest.raises(RemoteError) as caught:
        await vendor.render().get_service("srv-1")
    assert where in str(caught.value) and '"a"' not in str(caught.value)


async def test_answers_are_read_leniently():
    vendor = Vendor(
        httpx.Response(
            200,
            json={
                "id": "srv-1", "type": "quantum_service", "suspended": None, "createdAt": "yesterday",
                "serviceDetails": {"plan": "0.5c-512mb", "numInstances": None, "autoscaling": None},
                "newField": {"deployKey": "abc", "list": [None]},
            },
        )
    )  # fmt: skip
    service = await vendor.render().get_service("srv-1")
    assert (service.type, service.suspended, service.created_at) == ("quantum_service", "", None)
    assert service.service_details.plan == "0.5c-512mb" and service.service_details.autoscaling is None
    assert "abc" not in repr(service) and "abc" not in service.model_dump_json()


async def test_an_empty_202_is_a_deploy_that_is_queued():
    assert await Vendor(httpx.Response(202)).render().create_deploy("srv-1") is None
    await Vendor(httpx.Response(202)).render().scale_service("srv-1", 2)


async def test_the_next_call_waits_for_the_window_that_an_answer_told_of():
    vendor = Vendor(limited(1), limited(0, 20), limited(1), limited(1))
    render = vendor.render()
    await render.get_service("srv-1")
    await render.get_service("srv-1")
    assert vendor.waits == []
    await render.get_service("srv-1")
    assert vendor.waits == [20] and vendor.told == ["waiting 20 s for Render's rate limit"]


async def test_calls_at_once_share_what_is_left():
    vendor = Vendor(limited(2, 30))
    render = vendor.render()
    await render.get_service("srv-1")
    vendor.asked.clear()
    vendor.answers = [limited(1, 30), limited(0, 30), limited(1, 30), limited(0, 30)]
    await asyncio.gather(*(render.get_service(f"srv-{number}") for number in range(4)))
    assert len(vendor.asked) == 4 and vendor.waits and set(vendor.waits) == {30.0}


async def test_those_who_waited_do_not_all_rush_in():
    told: list[str] = []

    async def pause(seconds: float) -> None:
        await asyncio.sleep(0)

    limits = RateLimits("Render", pause=pause, clock=lambda: 0.0, progress=told.append)
    limits.learn("GET", {"ratelimit-limit": "2", "ratelimit-remaining": "0", "ratelimit-reset": "10"})
    entered: list[int] = []

    async def enter(number: int) -> None:
        await limits.enter("GET")
        entered.append(len(told))

    await asyncio.gather(*(enter(number) for number in range(6)))
    assert len(told) == 6 + 4 + 2, "six wait, two go in; four wait again, two go in; two wait again"


async def test_a_limit_of_one_kind_of_call_does_not_hold_up_another():
    vendor = Vendor(limited(0, 50, 201), OK)
    render = vendor.render()
    await render.create_deploy("srv-1")
    await render.get_service("srv-1")
    assert vendor.waits == []


@pytest.mark.parametrize("told", [{"retry-after": "1800"}, {"ratelimit-reset": "1800"}])
async def test_a_long_wait_is_left_to_the_person(told: dict[str, str]):
    vendor = Vendor(httpx.Response(429, headers=told))
    with pytest.raises(Unavailable, match="another 30 minutes"):
        await vendor.render().create_deploy("srv-1")
    assert vendor.waits == []


@pytest.mark.parametrize(
    "told", [{"retry-after": "Wed, 21 Oct 2030 07:28:00 GMT"}, {"retry-after": "-1"}, {}]
)
async def test_a_strange_wait_is_ten_seconds(told: dict[str, str]):
    vendor = Vendor(httpx.Response(429, headers=told), OK)
    await vendor.render().get_service("srv-1")
    assert vendor.waits == [10]


async def test_a_list_is_read_to_its_end_and_no_further():
    full = [{"service": {"id": f"srv-{number}"}, "cursor": f"c{number}"} for number in range(100)]
    vendor = Vendor(httpx.Response(200, json=full), httpx.Response(200, json=full[:3]))
    assert len(await vendor.render().list_services()) == 103
    assert [request.url.params.get("cursor") for request in vendor.asked] == [None, "c99"]
    endless = Vendor(httpx.Response(200, json=full))
    assert len(await endless.render().list_services()) == 200  # the cursor no longer moved
    few = Vendor(httpx.Response(200, json=full[:5]))
    assert len(await few.render().list_services(most=5)) == 5
    assert few.asked[0].url.params["limit"] == "5" and len(few.asked) == 1
    for body in (b"", b"[]", b"null"):
        assert await Vendor(httpx.Response(200, content=body)).render().list_services() == []
    with pytest.raises(RemoteError, match="not a list"):
        await Vendor(httpx.Response(200, json={"services": []})).render().list_services()


async def test_logs_are_read_page_by_page():
    def page(more: bool, start: str, *ids: str) -> httpx.Response:
        lines = [{"id": one, "message": "m", "labels": [{"name": "level", "value": "error"}]} for one in ids]
        told = {"hasMore": more, "nextStartTime": start, "nextEndTime": "2030-01-02T13:00:00Z", "logs": lines}
        return httpx.Response(200, json=told)

    vendor = Vendor(page(True, "2030-01-02T12:00:00Z", "a", "b"), page(False, "2030-01-02T12:30:00Z", "c"))
    found = await vendor.render().list_logs(LogQuery(owner="tea-1", resources=["srv-1", "srv-2"]))
    assert [line.id for line in found.logs] == ["a", "b", "c"] and not found.has_more
    assert found.logs[0].label("level") == "error"
    first, second = (request.url.params for request in vendor.asked)
    assert first.get_list("resource") == ["srv-1", "srv-2"] and "startTime" not in first
    assert second["startTime"] == "2030-01-02T12:00:00Z"


Wrong = Callable[[RenderClient], Awaitable[Any]]
WRONG: list[Wrong] = [
    lambda c: c.get_service("../owners"),
    lambda c: c.get_service(""),
    lambda c: c.get_service("srv-1/deploys"),
    lambda c: c.get_service("a?b=c"),
    lambda c: c.get_env_var("srv-1", ".."),
    lambda c: c.create_deploy("srv-1", commit="a", image="b"),
    lambda c: c.create_deploy("srv-1", commit="a", mode="deploy_only"),
    lambda c: c.update_service("srv-1"),
    lambda c: c.scale_service("srv-1", -1),
    lambda c: c.set_autoscaling("srv-1", lowest=3, highest=2, cpu=70),
    lambda c: c.set_autoscaling("srv-1", lowest=1, highest=2),
    lambda c: c.set_autoscaling("srv-1", lowest=1, highest=2, cpu=101),
    lambda c: c.get_metric("cpu", ["srv-1"], resolution=10),
    lambda c: c.get_metric("cpu", ["srv-1"], quantile=0.5),
    lambda c: c.get_metric(cast("Any", "heat"), ["srv-1"]),
    lambda c: c.get_metric("cpu", []),
    lambda c: c.list_logs(LogQuery(owner="tea-1", resources=[])),
    lambda c: c.create_job("srv-1", "  "),
]


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_request_is_not_sent(wrong: Wrong):
    vendor = Vendor(OK)
    with pytest.raises(InvalidInput):
        await wrong(vendor.render())
    assert vendor.asked == []


@pytest.mark.parametrize("name", [".env", "id_rsa.pub", "*.clinic.test", "NEXT_PUBLIC_URL"])
async def test_names_that_a_path_must_carry(name: str):
    vendor = Vendor(httpx.Response(204))
    await vendor.render().delete_secret_file("srv-1", name)
    assert vendor.asked[0].url.path == f"/v1/services/srv-1/secret-files/{name}"


def test_a_secret_does_not_come_out():
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2" and secret == Secret("hunter2") != Secret("hunter3")
    assert secret.digest == Secret("hunter2").digest and len(secret.digest) == 8 and not Secret("").digest
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        repr({"a": [secret]}),
        repr(Vendor(OK).render().__dict__),
    ]
    assert all("hunter2" not in text and KEY not in text for text in shown)
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize(
    "name",
    ["smtp_pass", "authToken", "JWT_SECRET", "external_apple_secret", "hook_send_sms_secrets", "db-password",
     "apiKey", "sms_test_otp", "externalConnectionString", "psqlCommand", "service_role"],
)  # fmt: skip
def test_a_telling_name_is_known(name: str):
    assert is_secret_name(name) and "abc" not in repr(masked({"x": [{name: "abc"}]}))


@pytest.mark.parametrize(
    "name", ["key", "password_min_length", "smtp_host", "jwt_exp", "keys_page", "monkey"]
)
def test_another_name_is_not(name: str):
    assert not is_secret_name(name)


async def test_an_answered_error_of_a_log_query_is_an_error():
    vendor = Vendor(httpx.Response(200, json={"result": None, "error": "Backend error! Retry your query."}))
    supabase = SupabaseClient(
        Secret("sbp_x"),
        project_ref="a" * 20,
        transport=httpx.MockTransport(vendor.answer),
        pause=vendor.pause,
    )
    with pytest.raises(RemoteError, match="Backend error"):
        await supabase.get_request_counts("1day")
    with pytest.raises(ConfigurationError, match="project_ref"):
        await SupabaseClient(Secret("sbp_x")).list_functions()
    with pytest.raises(InvalidInput):
        await supabase.list_functions("../x")
    with pytest.raises(InvalidInput):
        await supabase.set_secrets({"SUPABASE_URL": Secret("a")})


async def test_supabases_headers_are_understood():
    told = {"x-ratelimit-limit": "120", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"}
    vendor = Vendor(httpx.Response(200, headers=told, json=[]), httpx.Response(200, json=[]))
    supabase = SupabaseClient(
        Secret("sbp_x"), project_ref="a" * 20, transport=httpx.MockTransport(vendor.answer),
        pause=vendor.pause, clock=lambda: vendor.time,
    )  # fmt: skip
    await supabase.list_functions()
    await supabase.list_secrets()
    assert vendor.waits == [9]


async def test_a_connection_is_closed_and_may_be_used_again():
    vendor = Vendor(OK)
    render = vendor.render()
    await render.close()
    assert isinstance(await render.get_service("srv-1"), Service)
    await render.close()
    assert (await render.get_service("srv-1")).id == "srv-1"
    await render.close()
