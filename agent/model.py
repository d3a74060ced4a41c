"""The Anthropic adapter: the only module that knows the SDK.

A reply is whole or it is an error: when a stream breaks, nothing of it reaches the history. The SDK takes
more than a second to import, so it is imported on first use; `warm` does that in the background.
"""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from agent.events import UsageReport
from agent.messages import (
    Block,
    ModelEvent,
    ModelRequest,
    Reply,
    Retrying,
    TextDelta,
    ThinkingDelta,
    ToolUse,
    parse_arguments,
    sendable,
)
from tools.errors import ConfigurationError, RemoteError, SergeiError, Unavailable

if TYPE_CHECKING:
    from anthropic import APIStatusError, AsyncAnthropic
    from anthropic.types import RawMessageStreamEvent

API_URL: Final = "https://api.anthropic.com"
LONGEST_WAIT: Final = 120.0
"""Seconds. A server that asks for more is not waited for: a person decides."""


class AnthropicModel:
    """A model of the Anthropic Messages API, or of anything that speaks it at `base_url`.

    `effort` is low, medium, high, xhigh or max, or None for the model's default; `timeout` is the longest
    silence in seconds. Raises ConfigurationError for a key that cannot be one.
    """

    def __init__(
        self,
        *,
        api_key: str,
        model: str,
        base_url: str = API_URL,
        max_tokens: int = 16_000,
        effort: str | None = None,
        max_retries: int = 4,
        timeout: float = 180.0,
    ) -> None:
        if not api_key.isascii() or not api_key.isprintable() or not api_key or " " in api_key:
            raise ConfigurationError(
                "The Anthropic API key has characters that a key cannot have.",
                hint="Set ANTHROPIC_API_KEY to the key alone, without quotes or line breaks.",
            )
        self.name = model
        self.max_tokens = max_tokens
        self.effort = effort
        self.max_retries = max_retries
        self._key, self._base_url, self._timeout = api_key, base_url, timeout
        self._client: AsyncAnthropic | None = None

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Yield the reply's pieces and last a Reply; see Model.stream for the errors."""
        if self._client is None:
            self._client = await asyncio.to_thread(self._connect)  # the import must not freeze the terminal
        from anthropic import APIError
        from httpx2 import HTTPError

        for attempt in count():
            shown = False
            try:
                async with aclosing(self._attempt(self._client, request)) as events:
                    async for event in events:
                        shown = True
                        yield event
                return
            except (APIError, HTTPError, ValueError, _CutShort) as error:
                fault = _fault(
                    error, host=urlsplit(self._base_url).hostname or self._base_url, model=self.name
                )
            wait = _wait(fault, attempt)
            if shown or not fault.passing or attempt >= self.max_retries or wait > LONGEST_WAIT:
                raise fault.error
            yield Retrying(fault.error.message, wait)
            await asyncio.sleep(wait)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _connect(self) -> AsyncAnthropic:
        from anthropic import AsyncAnthropic
        from httpx2 import Timeout

        return AsyncAnthropic(
            api_key=self._key,
            base_url=self._base_url,
            timeout=Timeout(self._timeout, connect=10.0),
            max_retries=0,  # retried here, so that a person is told and nothing shown is repeated
            open_telemetry=False,  # spans can be told by the environment to carry the conversation
        )

    async def _attempt(
        self, client: AsyncAnthropic, request: ModelRequest
    ) -> AsyncGenerator[ModelEvent, None]:
        """One request. The raw stream is read: the SDK's accumulator takes half a JSON object for a whole."""
        arguments: dict[str, Any] = {
            "model": self.name,
            "max_tokens": self.max_tokens,
            # Its own mark: every conversation then shares tools and system, not only the turns of this one.
            "system": [{"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}}],
            "messages": list(request.messages),
            "cache_control": {"type": "ephemeral"},
        }
        if request.tools:
            arguments["tools"] = list(request.tools)
        if self.effort is not None:
            arguments["output_config"] = {"effort": self.effort}
        stream = await client.messages.create(**arguments, stream=True)
        draft = _Draft()
        async with stream:
            async for event in stream:
                if (delta := draft.add(event)) is not None:
                    yield delta
        yield draft.reply()


class _CutShort(Exception):
    """The connection closed politely before the reply was whole."""


@dataclass(slots=True)
class _Draft:
    """One reply as it arrives."""

    blocks: dict[int, Block] = field(default_factory=dict[int, Block])
    inputs: dict[int, str] = field(default_factory=dict[int, str])
    stop_reason: str = ""
    detail: str = ""
    usage: dict[str, int] = field(default_factory=dict[str, int])
    finished: bool = False

    def add(self, event: RawMessageStreamEvent) -> TextDelta | ThinkingDelta | None:
        """Take one event in. Raises ValueError for a piece of a block that was never begun."""
        if event.type == "message_start":
            self._count(event.message.usage.to_dict())
        elif event.type == "content_block_start":
            self.blocks[event.index] = event.content_block.to_dict()
        elif event.type == "message_delta":
            self.stop_reason = event.delta.stop_reason or ""
            self.detail = (event.delta.stop_details and event.delta.stop_details.explanation) or ""
            self._count(event.usage.to_dict())
        elif event.type == "message_stop":
            self.finished = True
        elif event.type == "content_block_delta":
            if event.index not in self.blocks:
                raise ValueError("a piece of a block that was never begun")
            block, delta = self.blocks[event.index], event.delta
            if delta.type == "text_delta":
                block["text"] = block.get("text", "") + delta.text
                return TextDelta(delta.text)
            if delta.type == "thinking_delta":
                block["thinking"] = block.get("thinking", "") + delta.thinking
                return ThinkingDelta(delta.thinking)
            if delta.type == "signature_delta":
                block["signature"] = delta.signature
            elif delta.type == "input_json_delta":
                self.inputs[event.index] = self.inputs.get(event.index, "") + delta.partial_json
        return None

    def reply(self) -> Reply:
        """The whole reply. Raises _CutShort when its end never came."""
        if not self.finished:
            raise _CutShort
        content: list[Block] = []
        calls: list[ToolUse] = []
        for index, block in sorted(self.blocks.items()):
            if index in self.inputs:
                block["input"], problem = parse_arguments(self.inputs[index])
            else:
                problem = ""
            if block["type"] == "tool_use":
                calls.append(ToolUse(block["id"], block["name"], block["input"], problem))
            if sendable(block):
                content.append(block)
        usage = UsageReport(
            self.usage.get("input_tokens", 0),
            self.usage.get("output_tokens", 0),
            self.usage.get("cache_read_input_tokens", 0),
            self.usage.get("cache_creation_input_tokens", 0),
        )
        return Reply(tuple(content), tuple(calls), self.stop_reason or "end_turn", usage, self.detail)

    def _count(self, usage: Mapping[str, Any]) -> None:
        """Counts are running totals: a later one replaces an earlier one, an absent one does not."""
        self.usage |= {key: value for key, value in usage.items() if isinstance(value, int)}


@dataclass(frozen=True, slots=True)
class _Fault:
    """A vendor's error in our words; `passing` if the same request may work later, `wait` if it said when."""

    error: SergeiError
    passing: bool = False
    wait: float | None = None


def _wait(fault: _Fault, attempt: int) -> float:
    """Seconds to wait: what the server asked for, else 0.5 s doubling to 8 s, less some jitter."""
    if fault.wait is not None:
        return fault.wait
    return min(0.5 * 2**attempt, 8.0) * random.uniform(0.75, 1.0)  # noqa: S311  not a secret


def _fault(error: Exception, *, host: str, model: str) -> _Fault:
    """Any error of a request, translated. Nothing of a request's headers or body is repeated."""
    from anthropic import APIConnectionError, APIStatusError, APITimeoutError
    from httpx2 import TimeoutException

    if isinstance(error, APIStatusError):
        return _status_fault(error, host, model)
    if isinstance(error, APITimeoutError | TimeoutException):
        return _Fault(Unavailable(f"The model at {host} did not answer in time."), passing=True)
    if isinstance(error, APIConnectionError):
        hint = "Check the network, the proxy and the base URL."
        return _Fault(Unavailable(f"The model at {host} cannot be reached.", hint=hint), passing=True)
    if isinstance(error, ValueError):
        return _Fault(RemoteError(f"{host} answered with something that is not a Messages API stream."))
    return _Fault(Unavailable(f"The connection to {host} broke in the middle of the reply."), passing=True)


_STATUS: Final = {
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""An error inside a stream arrives under status 200; its type says which it is."""


def _status_fault(error: APIStatusError, host: str, model: str) -> _Fault:
    status = error.status_code if error.status_code >= 400 else _STATUS.get(error.type or "", 400)
    said, code = (error.api_message or "no reason given")[:300], str(status)
    if status == 401:
        hint = "Set ANTHROPIC_API_KEY to a valid key."
        return _Fault(ConfigurationError(f"{host} does not accept the API key.", hint=hint, code=code))
    if status in (402, 403, 404):
        hint = "Choose another model, or check the account behind ANTHROPIC_API_KEY and the base URL."
        return _Fault(ConfigurationError(f"{host} does not offer {model}: {said}", hint=hint, code=code))
    headers = error.response.headers
    if status in (408, 409, 429) or status >= 500:
        words = {429: "is limiting the rate of requests", 529: "is overloaded"}.get(status, "failed")
        wait = _seconds(headers.get("retry-after-ms"), 1000) or _seconds(headers.get("retry-after"), 1)
        later = f"Try again in {wait:.0f} s." if wait and wait > LONGEST_WAIT else "Try again in a moment."
        fault = Unavailable(f"The model at {host} {words}.", hint=later, code=code)
        return _Fault(fault, passing=headers.get("x-should-retry") != "false", wait=wait)
    hint = "Start a new conversation if it has grown too long." if status in (400, 413) else ""
    return _Fault(RemoteError(f"{host} refused the request: {said}", hint=hint, code=code))


def _seconds(header: str | None, unit: int) -> float | None:
    """A retry header's seconds, unless it is absent, a date or not positive."""
    try:
        value = float(header or "") / unit
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None


def warm() -> threading.Thread:
    """Import the SDK in the background, so that the first question does not wait for it."""

    def load() -> None:
        gc.disable()  # saves a quarter of the import: it allocates thousands of classes that all stay
        try:
            import anthropic  # noqa: F401  # pyright: ignore[reportUnusedImport]  for its effect on sys.modules
        finally:
            gc.enable()

    thread = threading.Thread(target=load, name="warm-model", daemon=True)
    thread.start()
    return thread
