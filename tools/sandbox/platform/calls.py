"""One request to the simulated platform, and how handlers answer it."""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tools.sandbox.platform.clock import moment_of
from tools.sandbox.platform.keys import Key
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.world import Deploy, Hosted, World

if TYPE_CHECKING:
    from tools.sandbox.platform.platform import Platform

Reply = Any
"""A Response, or what goes out as JSON; None for no content."""


class Wrong(Exception):
    """An answer that is an error: its status and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Call:
    """A request with its parsed JSON payload and the platform it goes to."""

    platform: Platform
    request: Request
    payload: Any
    key: Key

    @property
    def world(self) -> World:
        """The workspace."""
        return self.platform.world

    @property
    def now(self) -> datetime:
        """The simulated time."""
        return self.platform.clock.now()

    def path(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str, default: str = "") -> str:
        """A query parameter."""
        return self.request.query_params.get(name, default)

    def queries(self, name: str) -> list[str]:
        """All values of a repeated query parameter."""
        return self.request.query_params.getlist(name)

    def moment(self, name: str, default: datetime) -> datetime:
        """A query parameter that is a time."""
        text = self.query(name)
        try:
            return moment_of(text) if text else default
        except ValueError:
            raise Wrong(400, f"invalid {name}: {text}") from None

    def field(self, name: str, kind: type | tuple[type, ...], default: Any = ...) -> Any:
        """A field of the payload, of this type; without a default it is required."""
        payload: object = self.payload
        value: Any = cast("Json", payload).get(name, ...) if isinstance(payload, dict) else ...
        if value is ... and default is not ...:
            return default
        if value is ... or not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            raise Wrong(400, f"invalid JSON: {name} is {'required' if value is ... else 'of the wrong type'}")
        return value

    def visible(self) -> list[Hosted]:
        """The services that this key sees."""
        return [] if self.key.role == "stranger" else list(self.world.services.values())

    def entries(self) -> list[Json]:
        """A payload that is a list of objects."""
        payload: object = self.payload
        if not isinstance(payload, list):
            raise Wrong(400, "invalid JSON: expected a list")
        return cast("list[Json]", payload)

    def hosted(self) -> Hosted:
        """The service of the path."""
        key = self.path("service")
        hosted = self.world.services.get(key)
        if hosted is None or self.key.role == "stranger":
            raise Wrong(404, f"not found: {key}")
        return hosted

    def deploy(self, hosted: Hosted) -> Deploy:
        """The deploy of the path."""
        key = self.path("deploy")
        for each in hosted.deploys:
            if each.id == key:
                return each
        raise Wrong(404, f"not found: {key}")


Answer = Callable[[Call], Reply]


def route(method: str, path: str, answer: Answer, status: int = 200) -> Route:
    """A route whose handler may return plain data; `status` goes with it, 204 and 202 without a body."""

    async def endpoint(request: Request) -> Response:
        try:
            payload = await _payload(request)
            call = Call(request.app.state.platform, request, payload, request.scope["key"])
            reply = answer(call)
            if inspect.isawaitable(reply):
                reply = await reply
        except Wrong as wrong:
            return JSONResponse({"message": wrong.message}, wrong.status)
        if isinstance(reply, Response):
            return reply
        return Response(status_code=status) if reply is None else JSONResponse(reply, status)

    return Route(path, endpoint, methods=[method])


async def _payload(request: Request) -> Any:
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/"):
        return None
    raw = b"".join([part async for part in request.stream()])
    if not raw:
        return {}
    try:
        return json.loads(raw)
    except ValueError:
        raise Wrong(400, "invalid JSON") from None


def paged(call: Call, name: str, items: Sequence[tuple[str, Any]]) -> list[Any]:
    """A page of (id, item), wrapped with a cursor each; that of the last one asks for the next page."""
    try:
        limit = int(call.query("limit", "20"))
    except ValueError:
        raise Wrong(400, "invalid limit") from None
    if not 1 <= limit <= 100:
        raise Wrong(400, "limit must be between 1 and 100")
    start = 0
    if cursor := call.query("cursor"):
        keys = [cursor_of(key) for key, _ in items]
        if cursor not in keys:
            raise Wrong(400, "invalid cursor")
        start = keys.index(cursor) + 1
    return [{"cursor": cursor_of(key), name: item} for key, item in items[start : start + limit]]


def cursor_of(key: str) -> str:
    """The cursor of an item."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
