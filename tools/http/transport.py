"""One vendor's API over HTTP: what is sent, how often, and what becomes of the answer.

What is sent again, and when:

    connection never made      any request: it did not happen
    429                        any request, after the wait that the answer names: it did not happen
    502, 503, 504, cut off     what may be repeated (GET, PUT, DELETE, reads by POST); else OutcomeUnknown
    anything else              never
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import quote, urlsplit

from tools.errors import InvalidInput, NotFound, RemoteError, Unavailable
from tools.http.limits import RateLimits
from tools.http.refusals import Vendor, refusal, unknown_outcome
from tools.http.secret import Secret, unveil
from tools.http.wire import parse

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

T = TypeVar("T")
Params = Mapping[str, Any]
ATTEMPTS: Final = 5
_REPEATABLE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_PASSING: Final = frozenset({502, 503, 504})
_SEGMENT: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.*][A-Za-z0-9._~:@+-]{0,200}")
_LARGEST: Final = 64_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A success: status, lower-case headers and content."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    where: str

    def json(self) -> Any:
        """The parsed body; None for an empty one (a 202 that only queued something)."""
        import json

        if not self.content.strip():
            return None
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise RemoteError(f"The answer to {self.where} is not JSON.") from None

    def items(self) -> list[Any]:
        """The items of a list; none for an empty body. Raises RemoteError when it is no list."""
        body = self.json()
        if body is not None and not isinstance(body, list):
            raise RemoteError(f"The answer to {self.where} is not a list.")
        return cast("list[Any]", body or [])

    def parsed(self, kind: type[T]) -> T:
        """The body as that type."""
        return parse(kind, self.json(), where=self.where)


class _Again(Exception):
    """To be tried again. `after`: the wait that the vendor asked for; `last`: what to raise at the end.

    `perhaps`: it may have been done all the same.
    """

    def __init__(self, last: Exception, *, after: float | None = None, perhaps: bool = False) -> None:
        self.last, self.after, self.perhaps = last, after, perhaps


class Http:
    """Sends requests with one key. Tests and the simulated platform give `transport`, `pause` and `clock`."""

    def __init__(
        self,
        vendor: Vendor,
        base_url: str,
        key: Secret,
        *,
        bucket: Callable[[str, str], str],
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        progress: Callable[[str], None] = lambda _: None,
        timeout: float = 30,
    ) -> None:
        self.vendor, self.base_url = vendor, base_url.rstrip("/")
        self._key, self._bucket, self._transport = key, bucket, transport
        self.pause, self._progress, self._timeout = pause, progress, timeout
        self.limits = RateLimits(vendor.name, pause=pause, clock=clock, progress=progress)

    def __repr__(self) -> str:
        return f"Http({self.vendor.name}, {self.base_url})"

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        import httpx

        return httpx.AsyncClient(
            transport=self._transport,
            timeout=httpx.Timeout(self._timeout, connect=10),
            follow_redirects=False,  # the key goes to this host and no other
            trust_env=not self.is_loopback,  # no proxy stands between us and this machine
            headers={**self.authorization, "User-Agent": "sergei", "Accept": "application/json"},
        )

    @property
    def is_loopback(self) -> bool:
        """Whether the API is on this machine, as the simulated one is."""
        return urlsplit(self.base_url).hostname in {"localhost", "127.0.0.1", "::1"}

    @property
    def authorization(self) -> dict[str, str]:
        """The header that carries the key."""
        return {"Authorization": f"Bearer {self._key.reveal()}"}

    @property
    def key_digest(self) -> str:
        """Tells one key from another within this run."""
        return self._key.digest

    async def close(self) -> None:
        """Close the connections, if any was made."""
        if "_client" in self.__dict__:
            await self._client.aclose()
            del self.__dict__["_client"]

    async def call(
        self,
        method: str,
        path: str,
        *segments: str,
        params: Params | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        files: Any = None,
        accept: str | None = None,
        repeatable: bool | None = None,
    ) -> Reply:
        """Send it; the `{}` of `path` are filled with `segments`. Raises the errors of tools/errors.py.

        `repeatable`: sending it twice does no more than once. Unless said, GET, PUT and DELETE are.
        """
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

        target = fill(path, segments)
        again = method in _REPEATABLE if repeatable is None else repeatable
        sent: list[str] = [self._key.reveal()]
        content: dict[str, Any] = {"params": query(params or {})}
        if json is not None:
            content["json"] = unveil(json, sent)
        if data is not None:
            content["data"] = unveil(data, sent)
        if files is not None:
            content["files"] = files
        if accept:
            content["headers"] = {"Accept": accept}
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_Again),
            stop=stop_after_attempt(ATTEMPTS),
            wait=_wait,
            sleep=self.pause,
            before_sleep=self._tell,
            reraise=True,
        )
        perhaps = False

        async def attempt() -> Reply:
            nonlocal perhaps
            try:
                return await self._once(method, target, content, again, sent)
            except _Again as error:
                perhaps = perhaps or error.perhaps
                raise
            except NotFound:
                if method == "DELETE" and perhaps:  # the one before did it, and its answer was lost
                    return Reply(204, {}, b"", f"{method} {target}")
                raise

        try:
            return await retrying.wraps(attempt)()
        except _Again as error:
            raise error.last from None

    async def _once(
        self, method: str, target: str, content: Mapping[str, Any], again: bool, sent: Sequence[str]
    ) -> Reply:
        import httpx

        where, bucket = f"{method} {target}", self._bucket(method, target)
        await self.limits.enter(bucket)
        headers: Mapping[str, str] = {}
        try:
            answer = await self._client.request(method, self.base_url + target, **content)
            headers = {name.lower(): value for name, value in answer.headers.items()}
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _Again(
                Unavailable(
                    f"{self.vendor.name} cannot be reached ({type(error).__name__}).",
                    hint="Check the network, and the API's URL if you changed it.",
                )
            ) from None
        except httpx.TransportError as error:
            happened = f"did not answer ({type(error).__name__})"
            if not again:
                raise unknown_outcome(self.vendor, where, happened) from None
            raise _Again(Unavailable(f"{self.vendor.name} {happened} to {where}."), perhaps=True) from None
        except (httpx.InvalidURL, httpx.DecodingError, httpx.TooManyRedirects) as error:
            raise RemoteError(f"{where}: {type(error).__name__}.") from None
        finally:
            self.limits.learn(bucket, headers)
        if answer.is_success:
            if len(answer.content) > _LARGEST:
                raise RemoteError(f"The answer to {where} is larger than {_LARGEST // 1_000_000} MB.")
            return Reply(answer.status_code, headers, answer.content, where)
        error = refusal(self.vendor, where, answer.status_code, answer.content, repeatable=again, sent=sent)
        if answer.status_code == 429:
            raise _Again(error, after=self.limits.after_refusal(headers))
        if answer.status_code in _PASSING and again:
            raise _Again(error, perhaps=True)
        raise error

    def _tell(self, state: RetryCallState) -> None:
        """Say why it takes longer."""
        error = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0
        limited = isinstance(error, _Again) and error.after is not None
        why = f"{self.vendor.name}'s rate limit" if limited else f"{self.vendor.name} to answer again"
        self._progress(f"waiting {seconds:.0f} s for {why}")

    async def pages(
        self, path: str, *segments: str, params: Params | None = None, most: int = 1_000
    ) -> AsyncIterator[Any]:
        """The items of a list with cursors, page by page, at most `most`; wrappers are left on."""
        cursor, given = "", 0
        page_size = min(most, 100)
        while True:
            more = {**(params or {}), "limit": page_size, "cursor": cursor or None}
            known = (await self.call("GET", path, *segments, params=more)).items()
            for item in known:
                given += 1
                yield item
                if given >= most:
                    return
            following = _field(known[-1], "cursor", "") if known else ""
            if len(known) < page_size or not following or following == cursor:
                return
            cursor = str(following)


def _wait(state: RetryCallState) -> float:
    """What the vendor asked for, else 1, 2, 4, 8 seconds."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _Again) and error.after is not None:
        return error.after
    return float(2 ** (state.attempt_number - 1))


def _field(item: Any, name: str, default: Any) -> Any:
    return cast("Mapping[str, Any]", item).get(name, default) if isinstance(item, Mapping) else default


def unwrapped(item: Any, wrapper: str) -> Any:
    """The object inside `{wrapper: {...}, "cursor": ""}`, or the item itself where a list has no wrappers."""
    return _field(item, wrapper, item)


def fill(path: str, segments: Sequence[str]) -> str:
    """The path with its `{}` filled. Raises InvalidInput for what could lead elsewhere."""
    for segment in segments:
        if not _SEGMENT.fullmatch(segment):
            raise InvalidInput(f"{segment[:80]!r} is no id or name that can stand in a path.")
    return path.format(*(quote(segment, safe="") for segment in segments))


def query(params: Params) -> list[tuple[str, str]]:
    """Query parameters: None is left out, a list repeats its key, a time is UTC with a Z."""
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        if value is None:
            continue
        values = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)
        pairs += [(name, as_text(item)) for item in values]
    return pairs


def as_text(value: object) -> str:
    """A value as a vendor reads it in a query or a body: a time in UTC, booleans in lower case."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidInput("A time needs its zone, for example 2030-12-31T08:00:00Z.")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(value)
