"""Log lines as they come: through a real websocket on loopback, cut in the middle."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from tools.errors import ConfigurationError, Unavailable
from tools.http.secret import Secret
from tools.render.client import LogQuery, RenderClient
from tools.render.models_observed import LogLine

pytestmark = pytest.mark.anyio
QUERY = LogQuery(owner="tea-1", resources=["srv-1", "srv-2"], level=["error"])
KEY = "rnd_Abcdefgh1234567890XyZ"


def line(number: int) -> str:
    return json.dumps(
        {
            "id": f"log-{number}",
            "message": f"line {number}",
            "timestamp": f"2030-01-02T12:00:0{number}Z",
            "labels": [{"name": "level", "value": "error"}],
        }
    )


async def no_pause(seconds: float) -> None:
    """Waits no time at all."""


def client(port: int) -> RenderClient:
    return RenderClient(Secret(KEY), api_url=f"http://127.0.0.1:{port}/v1", pause=no_pause)


async def test_a_stream_that_is_cut_goes_on_where_it_broke_off():
    asked: list[str] = []
    keys: list[str] = []

    async def send(socket: ServerConnection) -> None:
        assert socket.request is not None
        asked.append(socket.request.path)
        keys.append(socket.request.headers["Authorization"])
        lines = [line(1), line(2)] if len(asked) == 1 else [line(2), line(3)]
        for text in lines:
            await socket.send(text)

    async with serve(send, "127.0.0.1", 0) as server:
        stream = client(server.sockets[0].getsockname()[1]).follow_logs(QUERY)
        got: list[LogLine] = []
        async for found in stream:
            got.append(found)
            if len(got) == 3:
                break
    assert [found.message for found in got] == ["line 1", "line 2", "line 3"]
    assert keys == [f"Bearer {KEY}"] * 2
    first, second = (parse_qs(urlsplit(path).query) for path in asked)
    assert urlsplit(asked[0]).path == "/v1/logs/subscribe"
    assert first == {"ownerId": ["tea-1"], "resource": ["srv-1", "srv-2"], "level": ["error"]}
    assert second["startTime"] == ["2030-01-02T12:00:02Z"]


async def test_a_refused_stream_is_an_error_without_the_key():
    def refuse(socket: ServerConnection, request: Request) -> Response:
        return socket.respond(401, f"no: {request.headers['Authorization']}")

    async def nothing(socket: ServerConnection) -> None:
        """Never reached."""

    async with serve(nothing, "127.0.0.1", 0, process_request=refuse) as server:
        with pytest.raises(ConfigurationError) as caught:
            await anext(client(server.sockets[0].getsockname()[1]).follow_logs(QUERY))
    assert KEY not in str(caught.value) and "RENDER_API_KEY" in str(caught.value)


async def test_a_stream_that_nobody_serves_is_given_up():
    async def nothing(socket: ServerConnection) -> None:
        """Closes at once."""

    async with serve(nothing, "127.0.0.1", 0) as server:
        with pytest.raises(Unavailable, match="log stream"):
            await anext(client(server.sockets[0].getsockname()[1]).follow_logs(QUERY))
