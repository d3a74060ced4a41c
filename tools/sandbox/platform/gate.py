"""What stands before both APIs: the fault queue, the key, the rate limit; and the choice by host or path."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tools.sandbox.platform.faults import Fault
from tools.sandbox.platform.keys import KEYS
from tools.sandbox.platform.limits import Count, render_limit, supabase_limit

if TYPE_CHECKING:
    from tools.sandbox.platform.platform import Platform

PAGE: Final = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
HANGING_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Requested:
    """A request that came in."""

    api: str
    method: str
    path: str
    query: str


class Gate:
    """The outermost app. What is lost is an httpx error here, and a closed connection when served."""

    def __init__(self, platform: Platform, inner: ASGIApp) -> None:
        self._platform = platform
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        api, path = _address(scope)
        scope = {**scope, "path": f"/{api}{path}", "raw_path": None}
        method = str(scope.get("method", "GET"))
        query = bytes(scope.get("query_string", b"")).decode()
        self._platform.requests.append(Requested(api, method, path, query))
        if api == "site":
            await self._inner(scope, receive, send)
            return
        fault = self._platform.faults.take(method, path)
        if fault and await self._lost(fault, scope, receive, send):
            return
        key = KEYS.get(_bearer(scope))
        if key is None or key.api != api:
            await _say(401, "Unauthorized")(scope, receive, send)
            return
        limit = render_limit(method, path) if api == "render" else supabase_limit(path)
        count = self._platform.limits.count(key.text, limit, self._platform.clock.now())
        noted = _with_headers(send, api, count)
        if count.remaining < 0:
            await _say(429, "rate limit exceeded")(scope, receive, _with_headers(noted, "retry", count))
            return
        scope["key"] = key
        if key.role == "viewer" and method != "GET" and not path.endswith("/query/read-only"):
            await _say(403, "Forbidden: your role does not permit this action")(scope, receive, noted)
            return
        if fault and fault.kind.endswith("_after"):
            await self._inner(scope, receive, _nowhere)
            raise _error(fault)
        await self._inner(scope, receive, noted)

    def closing(self) -> ASGIApp:
        """The app for a real server, where a lost answer is a connection that closes or hangs."""

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await self(scope, receive, send)
            except httpx.ReadTimeout:
                await asyncio.sleep(HANGING_SECONDS)
            except httpx.RemoteProtocolError:
                headers = [(b"content-length", b"1")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})

        return served

    async def _lost(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> bool:
        if fault.kind in ("timeout", "dropped"):
            raise _error(fault)
        if fault.kind == "html":
            await HTMLResponse(PAGE, 502)(scope, receive, send)
            return True
        if fault.kind == "status":
            answer = _say(fault.status, fault.message)
            if fault.retry_after is not None:
                answer.headers["Retry-After"] = str(fault.retry_after)
            await answer(scope, receive, send)
            return True
        return False


def _error(fault: Fault) -> httpx.TransportError:
    if fault.kind.startswith("timeout"):
        return httpx.ReadTimeout("The read operation timed out")
    return httpx.RemoteProtocolError("Server disconnected without sending a response.")


def _address(scope: Scope) -> tuple[str, str]:
    """Which API, and the path within it."""
    path = str(scope["path"])
    host = next((value.decode() for name, value in scope["headers"] if name == b"host"), "")
    if host == "api.render.com":
        return "render", path
    if host == "api.supabase.com":
        return "supabase", path
    if site := re.fullmatch(r"([\w-]+)\.onrender\.com", host):
        return "site", f"/{site[1]}{path}"
    api, _, rest = path.removeprefix("/").partition("/")
    return (api, f"/{rest}") if api in ("render", "supabase", "site") else ("site", path)


def _bearer(scope: Scope) -> str:
    value = next((value.decode() for name, value in scope["headers"] if name == b"authorization"), "")
    return value.removeprefix("Bearer ")


def _say(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)


def _with_headers(send: Send, api: str, count: Count) -> Send:
    """Add the rate limit's headers in the vendor's spelling, or Retry-After."""
    if api == "retry":
        pairs: dict[str, Any] = {"Retry-After": max(1, count.reset)}
    else:
        prefix = "Ratelimit" if api == "render" else "X-RateLimit"
        pairs = {
            f"{prefix}-Limit": count.limit.most,
            f"{prefix}-Remaining": max(0, count.remaining),
            f"{prefix}-Reset": count.reset,
        }
    added = [(name.lower().encode(), str(value).encode()) for name, value in pairs.items()]

    async def noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return noted


async def _nowhere(message: Message) -> None:
    """The answer is lost."""
