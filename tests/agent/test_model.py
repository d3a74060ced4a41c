"""The Anthropic adapter: the real SDK against a scripted server."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from agent.events import UsageReport
from agent.messages import ModelEvent, ModelRequest, Reply, Retrying, TextDelta, ToolUse
from agent.model import AnthropicModel
from tests.model_server import ModelServer, failure, html, reply, text, use
from tools.errors import ConfigurationError, RemoteError, SergeiError, Unavailable

pytestmark = pytest.mark.anyio
Serve = Callable[..., ModelServer]

HELLO = ModelRequest("You are Sergei.", (), ({"role": "user", "content": [{"type": "text", "text": "Hi."}]},))


@asynccontextmanager
async def connected(
    server: ModelServer, *, max_retries: int = 0, timeout: float = 20.0, effort: str | None = None
) -> AsyncGenerator[AnthropicModel, None]:
    model = AnthropicModel(
        api_key="sk-test-key",
        model="scripted",
        base_url=server.base_url,
        max_retries=max_retries,
        timeout=timeout,
        effort=effort,
    )
    try:
        yield model
    finally:
        await model.aclose()


async def answer(model: AnthropicModel) -> list[ModelEvent]:
    return [event async for event in model.stream(HELLO)]


async def test_text_streams_and_the_reply_is_whole(serve: Serve):
    server = serve([reply(text("Good ", "day."), use("look", {"at": {"depth": 1}}, call_id="c1"))])
    async with connected(server) as model:
        *deltas, last = await answer(model)
    assert deltas == [TextDelta("Good "), TextDelta("day.")]
    assert isinstance(last, Reply) and last.stop_reason == "tool_use"
    assert last.calls == (ToolUse("c1", "look", {"at": {"depth": 1}}),)
    assert [block["type"] for block in last.content] == ["text", "tool_use"]
    assert last.usage == UsageReport(10, 5)


async def test_the_prefix_is_marked_for_the_cache_and_effort_is_sent_only_when_set(serve: Serve):
    server = serve([reply("a"), reply("b")])
    async with connected(server) as model:
        await answer(model)
    async with connected(server, effort="low") as model:
        await answer(model)
    plain, low = (call.body for call in server.calls)
    assert plain["cache_control"] == plain["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert "output_config" not in plain and low["output_config"] == {"effort": "low"}
    assert server.calls[0].headers["authorization"] == "Bearer sk-test-key"


@pytest.mark.parametrize(
    ("step", "error", "code"),
    [
        (failure(401), ConfigurationError, "401"),
        (failure(402, kind="billing_error"), ConfigurationError, "402"),
        (failure(403), ConfigurationError, "403"),
        (failure(404, "model: scripted"), ConfigurationError, "404"),
        (failure(400, "prompt is too long"), RemoteError, "400"),
        (failure(413), RemoteError, "413"),
        (failure(429), Unavailable, "429"),
        (failure(500), Unavailable, "500"),
        (failure(529), Unavailable, "529"),
        (reply("Half", stop_after=0, ending="error:overloaded_error"), Unavailable, "529"),
        (reply("Half", stop_after=0, ending="error:rate_limit_error"), Unavailable, "429"),
        (reply("Half", stop_after=0, ending="error:invalid_request_error"), RemoteError, "400"),
        (reply("Half", stop_after=0, ending="cut"), Unavailable, ""),
        (reply("Half", stop_after=0, ending="short"), Unavailable, ""),
        (html(200), Unavailable, ""),
        (html(502), Unavailable, "502"),
    ],
)
async def test_every_failure_is_one_of_ours(serve: Serve, step: object, error: type[SergeiError], code: str):
    server = serve([step])
    async with connected(server) as model:
        with pytest.raises(error) as caught:
            await answer(model)
    assert caught.value.code == code
    assert "sk-test-key" not in str(caught.value) and "html" not in str(caught.value)


async def test_passing_failures_are_retried_as_the_server_asks(serve: Serve):
    overloaded = failure(529, retry_after_ms="1")
    server = serve(
        [overloaded, failure(429, retry_after="0.001"), failure(500, retry_after_ms="1"), reply("Ok.")]
    )
    async with connected(server, max_retries=3) as model:
        events = await answer(model)
    waits = [event.seconds for event in events if isinstance(event, Retrying)]
    assert waits == [0.001, 0.001, 0.001]
    assert isinstance(events[-1], Reply)


async def test_retries_end_and_are_not_made_when_the_server_forbids_or_asks_too_much(serve: Serve):
    again = failure(429, retry_after_ms="1")
    server = serve([again, again, failure(529, x_should_retry="false"), failure(429, retry_after="3600")])
    async with connected(server, max_retries=1) as model:
        for words in ("rate of requests", "overloaded", "3600 s"):
            with pytest.raises(Unavailable, match=words):
                await answer(model)
    assert len(server.calls) == 4


async def test_a_stream_that_breaks_before_anything_was_shown_is_retried(serve: Serve):
    server = serve([reply(use("look"), stop_after=1, ending="cut"), reply("Here.")])
    async with connected(server, max_retries=1) as model:
        events = await answer(model)
    assert [type(event) for event in events] == [Retrying, TextDelta, Reply]


async def test_a_stream_that_breaks_after_something_was_shown_is_not_repeated(serve: Serve):
    server = serve([reply(text("Half ", "said"), stop_after=1, ending="cut")])
    async with connected(server, max_retries=5) as model:
        stream = model.stream(HELLO)
        assert await anext(stream) == TextDelta("Half ")
        with pytest.raises(Unavailable):
            await anext(stream)


async def test_a_slow_reply_arrives_and_a_silent_one_times_out(serve: Serve):
    server = serve([reply(text("slow ", "but ", "sure"), pause=0.03), reply("", stop_after=0, ending="hold")])
    async with connected(server, timeout=0.5) as model:
        *words, _ = await answer(model)
        assert words == [TextDelta("slow "), TextDelta("but "), TextDelta("sure")]
        with pytest.raises(Unavailable, match="did not answer in time"):
            await answer(model)


async def test_a_port_where_nobody_listens_is_unavailable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        model = AnthropicModel(api_key="k", model="m", base_url=url, max_retries=0)
        with pytest.raises(Unavailable, match="cannot be reached"):
            await answer(model)
        await model.aclose()


@pytest.mark.parametrize("key", ["", "sk-test\n", "sk test", "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused_without_being_repeated(key: str):
    with pytest.raises(ConfigurationError) as caught:
        AnthropicModel(api_key=key, model="m")
    assert not key.strip() or key.strip() not in str(caught.value)


def test_the_sdk_is_not_loaded_until_it_is_needed_and_warm_loads_it():
    program = (
        "import sys, agent.loop, agent.model\n"
        "assert 'anthropic' not in sys.modules\n"
        "agent.model.warm().join()\n"
        "assert 'anthropic' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
