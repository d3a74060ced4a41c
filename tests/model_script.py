"""What a scripted model says: blocks, replies, failures, and the stream of events that a reply is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from tests.messages_api_rules import Json, blocks_of, plain

_ids = count(1)


@dataclass(frozen=True)
class Piece:
    """One content block and the deltas in which it arrives."""

    start: Json
    deltas: tuple[Json, ...]


@dataclass(frozen=True)
class Scripted:
    """A reply. It stops short, or waits, after `stop_after` deltas: see `reply`."""

    pieces: tuple[Piece, ...]
    stop_reason: str
    usage: Json
    stop_after: int | None = None
    ending: str = "whole"
    pause: float = 0.0
    detail: str = ""


@dataclass(frozen=True)
class Failed:
    """An error instead of a reply."""

    status: int
    kind: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True)
class Call:
    """One request as it came: its number from 0, and its body."""

    number: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def messages(self) -> list[Json]:
        return self.body["messages"]

    @property
    def results(self) -> list[Json]:
        """The tool_result blocks of the last message."""
        return [block for block in blocks_of(self.messages[-1]) if block["type"] == "tool_result"]

    @property
    def text(self) -> str:
        """All text of the last message, tool results included."""
        texts = [block.get("text") or plain(block.get("content")) for block in blocks_of(self.messages[-1])]
        return "\n".join(texts)


Step = Scripted | Failed | Callable[[Call], "Scripted | Failed"]
Script = Sequence[Step] | Callable[[Call], Scripted | Failed]


def text(*chunks: str) -> Piece:
    """A text block that arrives in these chunks."""
    deltas: list[Json] = [{"type": "text_delta", "text": chunk} for chunk in chunks]
    return Piece({"type": "text", "text": ""}, tuple(deltas))


def thinking(words: str, signature: str = "c2lnbmVk") -> Piece:
    """A thinking block with its signature."""
    deltas: list[Json] = [{"type": "thinking_delta", "thinking": words}]
    deltas.append({"type": "signature_delta", "signature": signature})
    return Piece({"type": "thinking", "thinking": "", "signature": ""}, tuple(deltas))


def use(name: str, arguments: Json | None = None, *, raw: str | None = None, call_id: str = "") -> Piece:
    """A tool_use block. `raw` sends that text as its arguments, whatever it is."""
    written = json.dumps(arguments or {}) if raw is None else raw
    middle = len(written) // 2
    deltas: list[Json] = [
        {"type": "input_json_delta", "partial_json": part}
        for part in ("", written[:middle], written[middle:])
    ]
    name_and_id = {"id": call_id or f"toolu_{next(_ids):04}", "name": name}
    return Piece({"type": "tool_use", **name_and_id, "input": {}}, tuple(deltas))


def reply(
    *pieces: str | Piece,
    stop_reason: str | None = None,
    usage: Json | None = None,
    stop_after: int | None = None,
    ending: str = "whole",
    pause: float = 0.0,
    detail: str = "",
) -> Scripted:
    """A streamed reply; a string is a text block of one chunk.

    stop_after   after this many deltas comes the ending instead of the rest
    ending       "whole"; "cut" (the connection is dropped); "short" (it ends politely, without message_stop);
                 "hold" (silence until the server closes); "error:KIND" (an error event, as overloaded_error)
    pause        seconds before each delta
    """
    blocks = tuple(text(piece) if isinstance(piece, str) else piece for piece in pieces)
    calls = any(piece.start["type"] == "tool_use" for piece in blocks)
    reason = stop_reason or ("tool_use" if calls else "end_turn")
    counts = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 0}
    return Scripted(blocks, reason, {**counts, **(usage or {})}, stop_after, ending, pause, detail)


def failure(status: int, message: str = "scripted", *, kind: str = "", **headers: str) -> Failed:
    """An error status. Headers are keywords: `retry_after_ms="5"`."""
    kinds = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error"}
    kinds |= {404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Failed(status, kind or kinds.get(status, "api_error"), message, named)


def html(status: int = 200) -> Failed:
    """What a captive portal answers: a page instead of an API."""
    return replace(failure(status), body=b"<html>sign in</html>")


def events_of(step: Scripted) -> Iterator[Json]:
    """The events of a reply, as the API streams them, up to its ending."""
    first = {key: value for key, value in step.usage.items() if key != "output_tokens"}
    message = {"id": f"msg_{next(_ids):04}", "type": "message", "role": "assistant", "model": "scripted"}
    message |= {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**first, "output_tokens": 1},
    }
    yield {"type": "message_start", "message": message}
    yield {"type": "ping"}
    sent = 0
    for index, piece in enumerate(step.pieces):
        yield {"type": "content_block_start", "index": index, "content_block": piece.start}
        for delta in piece.deltas:
            if sent == step.stop_after:
                yield from _ending(step)
                return
            sent += 1
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    if step.ending != "whole":
        yield from _ending(step)
        return
    details = {"type": "refusal", "category": None, "explanation": step.detail} if step.detail else None
    delta = {"stop_reason": step.stop_reason, "stop_sequence": None, "stop_details": details}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": step.usage["output_tokens"]}}
    yield {"type": "message_stop"}


def _ending(step: Scripted) -> Iterator[Json]:
    kind, _, error = step.ending.partition(":")
    if kind == "error":
        yield {"type": "error", "error": {"type": error, "message": "scripted"}}
    elif kind in ("cut", "hold"):
        yield {"type": kind}
