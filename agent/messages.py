"""A conversation as the Messages API has it, and the small interface behind which a model answers one.

    ModelRequest ─▶ Model.stream ─▶ (TextDelta | ThinkingDelta | Retrying)* ─▶ Reply

Everything here is pure: plain blocks in, plain blocks out.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from agent.events import UsageReport

INTERRUPTED: Final = (
    "Interrupted by the user before it finished. If it changes something, look before repeating."
)
"""The answer to a call that never got one."""

NOT_RUN: Final = "Not run: the reply was cut off, so its arguments may be incomplete. Take a smaller step."
"""The answer to a call of a reply that was not whole."""

STOPPED: Final = "[interrupted by the user]"
DECLINED: Final = "[The model declined to answer this.]"
"""What stands in the history for the rest of a reply, or for all of it."""

Message = dict[str, Any]
"""`{"role": "user" | "assistant", "content": [block, ...]}`."""

Block = dict[str, Any]
"""One content block as the Messages API writes it."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What is sent: the system prompt, the tool definitions and the messages, all as the API has them."""

    system: str
    tools: Sequence[Mapping[str, Any]]
    messages: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """The next piece of the summarised thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class Retrying:
    """The request failed for a passing reason and is sent again in `seconds`."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call the model wants. With a `problem` (arguments that are no JSON object) it must not run."""

    id: str
    name: str
    input: Mapping[str, Any]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. `content` goes into the history as it is; `detail` may explain a refusal."""

    content: tuple[Block, ...]
    calls: tuple[ToolUse, ...]
    stop_reason: str
    usage: UsageReport
    detail: str = ""


ModelEvent = TextDelta | ThinkingDelta | Retrying | Reply


class Model(Protocol):
    """Anything that answers a conversation."""

    @property
    def name(self) -> str:
        """The model's identifier, for people."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Yield the reply's pieces and last a Reply.

        Raises ConfigurationError (key, model name), Unavailable (try later) or RemoteError (request refused).
        """
        ...


def sendable(block: Block) -> bool:
    """Whether the API takes the block back: not blank text, nor thinking that was cut before its seal."""
    if block["type"] == "text":
        return bool(block["text"].strip())
    return block["type"] != "thinking" or bool(block.get("signature"))


def parse_arguments(raw: str) -> tuple[dict[str, Any], str]:
    """The arguments of a call, or none and what is wrong with them."""
    try:
        value: object = json.loads(raw or "{}", parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair could never be sent back
    except (ValueError, RecursionError):
        return {}, "The arguments were not valid JSON."
    if not isinstance(value, dict):
        return {}, "The arguments were not a JSON object."
    return cast("dict[str, Any]", value), ""


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def encodable(text: str) -> str:
    """The text without halves of surrogate pairs: a terminal's stray bytes, which JSON cannot send."""
    return text.encode(errors="replace").decode()


def result(call_id: str, text: str, *, failed: bool) -> Block:
    """The answer to one call."""
    block: Block = {"type": "tool_result", "tool_use_id": call_id, "content": encodable(text)}
    return block | {"is_error": True} if failed else block


def whole(messages: Sequence[Message]) -> Sequence[Message]:
    """The same conversation, such that the API accepts it, wherever it was cut off.

    Neighbours of one role become one message, calls without an answer are answered, answers without a call
    are left out. What comes of a message depends only on those up to the next one, so the prefix of a growing
    conversation stays the same.
    """
    kept: list[Message] = []
    for message in messages:
        role, content = message["role"], _without_strays(message["content"], kept)
        if not content or not (kept or role == "user"):
            continue
        if kept and kept[-1]["role"] == role:
            content = [*kept.pop()["content"], *content]
        kept.append({"role": role, "content": content})
    calls: list[str] = []
    for index, message in enumerate(kept):
        if message["role"] == "user":
            kept[index] = {"role": "user", "content": _answered(calls, message["content"])}
        calls = _calls(message)
    return [*kept, {"role": "user", "content": _answered(calls, [])}] if calls else kept


def _calls(message: Message) -> list[str]:
    return [block["id"] for block in message["content"] if block["type"] == "tool_use"]


def _without_strays(content: Sequence[Block], before: Sequence[Message]) -> list[Block]:
    """The content without answers to calls that the reply before it did not make."""
    asked = [call for message in before[-2:] if message["role"] == "assistant" for call in _calls(message)]
    return [block for block in content if block["type"] != "tool_result" or block["tool_use_id"] in asked]


def _answered(calls: Sequence[str], content: Sequence[Block]) -> list[Block]:
    """A user message's content, with one answer per call in front."""
    given = {block["tool_use_id"]: block for block in content if block["type"] == "tool_result"}
    answers = [given.get(call) or result(call, INTERRUPTED, failed=True) for call in calls]
    return [*answers, *(block for block in content if block["type"] != "tool_result")]
