"""What a request to the Messages API must be: what the API refuses, and what Sergei promises beyond it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

Json = dict[str, Any]


def breaches(body: Json) -> Iterator[str]:
    """What the API would answer with 400."""
    messages: list[Json] = body["messages"]
    if not messages or messages[0]["role"] != "user":
        yield "the first message is not the user's"
    names = [tool["name"] for tool in body.get("tools", [])]
    if len(set(names)) != len(names) or not all(
        re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", name) for name in names
    ):
        yield "tool names are not unique, or not names"
    if any(tool["input_schema"].get("type") != "object" for tool in body.get("tools", [])):
        yield "an input_schema is not of type object"
    wanted: list[str] = []
    for index, message in enumerate(messages):
        if index and message["role"] == messages[index - 1]["role"]:
            yield f"messages {index - 1} and {index} are both by {message['role']}"
        blocks = blocks_of(message)
        if not blocks:
            yield f"message {index} is empty"
        if any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            yield f"message {index} has a blank text"
        given = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if given != [block.get("tool_use_id") for block in blocks[: len(given)]]:
            yield f"message {index} has text before its tool results"
        if sorted(given) != sorted(wanted):
            yield f"message {index} answers {given}, the calls before it are {wanted}"
        wanted = [block["id"] for block in blocks if block["type"] == "tool_use"]
    if wanted:
        yield f"the calls {wanted} are not answered"


def drift(body: Json, earlier: Sequence[Json]) -> Iterator[str]:
    """What changed in the part that an earlier request of the same conversation has already sent."""
    if len(body["messages"]) == 1 or not earlier:
        return
    now = flat(body)
    same = [request for request in earlier if flat(request)[:1] == now[:1]]
    if not same:
        yield "its first message is new although it is not the start of a conversation"
        return
    for part in ("tools", "system"):
        if json.dumps(same[-1].get(part)) != json.dumps(body.get(part)):
            yield f"{part} changed within the conversation"
    before = flat(same[-1])
    changed = [index for index, block in enumerate(before) if now[index : index + 1] != [block]]
    if changed:
        yield f"block {changed[0]} of the earlier messages changed"


def holds(raw: str, value: str) -> bool:
    """Whether a request body holds a value, also as JSON escapes it."""
    return value in raw or json.dumps(value)[1:-1] in raw


def blocks_of(message: Json) -> list[Json]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def flat(body: Json) -> list[str]:
    """Every block of the messages with its role. Merging two messages of one role is no change."""
    return [
        json.dumps([message["role"], block]) for message in body["messages"] for block in blocks_of(message)
    ]


def plain(content: object) -> str:
    if isinstance(content, list):
        blocks = cast("list[Json]", content)
        return "\n".join(block.get("text", "") for block in blocks)
    return content if isinstance(content, str) else ""
