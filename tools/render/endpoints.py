"""What every group of Render's endpoints stands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from tools.errors import InvalidInput
from tools.http.transport import unwrapped
from tools.http.wire import parse

if TYPE_CHECKING:
    from tools.http.transport import Http, Params

T = TypeVar("T")
Names = str | Sequence[str]
"""One or several values of a query parameter that may be repeated."""


class Endpoints:
    """One group of endpoints over one connection."""

    def __init__(self, http: Http) -> None:
        self.http = http

    async def _one(self, kind: type[T], method: str, path: str, *segments: str, json: Any = None) -> T:
        """A request whose answer has a body."""
        return (await self.http.call(method, path, *segments, json=json)).parsed(kind)

    async def _perhaps(
        self, kind: type[T], method: str, path: str, *segments: str, json: Any = None
    ) -> T | None:
        """A request that may only be queued: None for an empty answer."""
        reply = await self.http.call(method, path, *segments, json=json)
        body = reply.json()
        return None if body is None else parse(kind, body, where=reply.where)

    async def _done(self, method: str, path: str, *segments: str, json: Any = None) -> None:
        """A request whose answer says no more than that it was accepted."""
        await self.http.call(method, path, *segments, json=json)

    async def _all(
        self,
        kind: type[T],
        wrapper: str,
        path: str,
        *segments: str,
        params: Params | None = None,
        most: int = 1_000,
    ) -> list[T]:
        """A list with cursors: items are `{wrapper: {...}, "cursor": ""}`, or bare in some lists."""
        return [
            parse(kind, unwrapped(item, wrapper), where=f"GET {path}")
            async for item in self.http.pages(path, *segments, params=params, most=most)
        ]

    async def _plain(self, kind: type[T], path: str, *segments: str, params: Params | None = None) -> list[T]:
        """A list without cursors, which Render answers whole."""
        reply = await self.http.call("GET", path, *segments, params=params)
        return [parse(kind, item, where=reply.where) for item in reply.items()]


def given(**fields: Any) -> dict[str, Any]:
    """A JSON body of the fields that are not None. Raises InvalidInput when nothing would be changed."""
    body = {name: value for name, value in fields.items() if value is not None}
    if not body:
        raise InvalidInput("Nothing to change was given.")
    return body


def at_least(name: str, value: int, lowest: int, highest: int) -> int:
    """The number, inside its bounds. Raises InvalidInput."""
    if not lowest <= value <= highest:
        raise InvalidInput(f"{name} is {value}; it must be from {lowest} to {highest}.")
    return value
