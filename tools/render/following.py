"""Log lines as they come, through Render's websocket; a cut connection is taken up where it broke off."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from tools.errors import RemoteError, Unavailable
from tools.http.refusals import refusal
from tools.http.transport import query
from tools.http.wire import parse
from tools.render.models_observed import LogLine

if TYPE_CHECKING:
    from tools.http.transport import Http

_TRIES: Final = 5
_REMEMBERED: Final = 500


async def follow(http: Http, params: dict[str, Any]) -> AsyncIterator[LogLine]:
    """Yields lines until the caller stops. Raises Unavailable after five failures in a row."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

    seen: deque[str] = deque(maxlen=_REMEMBERED)
    params, failures = dict(params), 0
    address = http.base_url.replace("http", "ws", 1) + "/logs/subscribe?"
    while True:
        try:
            url = address + urlencode(query(params))
            proxy = None if http.is_loopback else True
            async with connect(
                url, additional_headers=http.authorization, max_size=1_000_000, proxy=proxy
            ) as socket:
                async for message in socket:
                    failures = 0
                    line = _line(message)
                    if line.id and line.id in seen:
                        continue
                    seen.append(line.id)
                    params["startTime"] = line.timestamp or params.get("startTime")
                    yield line
        except InvalidStatus as error:
            response = error.response
            raise refusal(
                http.vendor, "GET /logs/subscribe", response.status_code, bytes(response.body or b""),
                repeatable=True, sent=(http.authorization["Authorization"],),
            ) from None  # fmt: skip
        except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
            pass  # taken up again below
        failures += 1
        if failures >= _TRIES:
            raise Unavailable(f"{http.vendor.name}'s log stream broke off and could not be taken up again.")
        await http.pause(float(2 ** (failures - 1)))


def _line(message: str | bytes) -> LogLine:
    import json

    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        raise RemoteError("The log stream sent something that is not JSON.") from None
    return parse(LogLine, value, where="GET /logs/subscribe")
