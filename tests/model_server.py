"""A scripted Messages API on loopback, for the real SDK: in this process or in a subprocess.

    with model_server([reply(use("list_tables")), reply("Two tables.")], forbidden=("hunter2",)) as server:
        ... AnthropicModel(api_key="test", model="m", base_url=server.base_url) ...
    # leaving the block checks every request

A script is a list of steps, one per request, or a function from Call to a step. A step is a `reply(...)`, a
`failure(...)`, or itself a function of the Call. Every request is checked (tests/messages_api_rules.py): a
breach is answered with 400, remembered, and raised at the end. So is a script that was not used up, and a
request that holds a forbidden value.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from tests.messages_api_rules import Json, blocks_of, breaches, drift, holds, plain

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


class ModelServer:
    """The server and what it saw. Use `model_server`."""

    def __init__(self, script: Script, forbidden: Sequence[str] = ()) -> None:
        self.calls: list[Call] = []
        self.breaches: list[str] = []
        self.forbidden: list[str] = list(forbidden)
        self.arrived = threading.Semaphore(0)
        self._script: Callable[[Call], Step] | None = script if callable(script) else None
        self._steps: list[Step] = [] if callable(script) else list(script)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"model": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop; whoever is held is let go."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def check(self) -> None:
        """Raise AssertionError for every breach, and for steps that nobody asked for."""
        found = list(self.breaches)
        if self._steps:
            found.append(f"{len(self._steps)} steps of the script were never asked for")
        if found:
            raise AssertionError("the model server saw:\n- " + "\n- ".join(found))

    def take(self, raw: str, headers: dict[str, str]) -> Scripted | Failed:
        """Check one request and give what answers it."""
        body: Json = json.loads(raw)
        with self._lock:
            call = Call(len(self.calls), body, headers)
            found = [*breaches(body), *drift(body, [earlier.body for earlier in self.calls])]
            found += [
                f"it holds the forbidden value {value!r}" for value in self.forbidden if holds(raw, value)
            ]
            self.calls.append(call)
            self.breaches += [f"request {call.number}: {breach}" for breach in found]
            self.arrived.release()
            if found:
                return failure(400, "; ".join(found), x_should_retry="false")
            step = self._script or (self._steps.pop(0) if self._steps else None)
        if step is None:
            self.breaches.append(f"request {call.number} came after the end of the script")
            return failure(400, "the script is over", x_should_retry="false")
        while not isinstance(step, Scripted | Failed):
            step = step(call)
        return step

    def hold(self) -> None:
        """Wait until the server closes (or a minute, so that no test hangs)."""
        self._closing.wait(60)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ModelServer

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            if self.path.partition("?")[0] != "/v1/messages":
                self._fail(failure(404, self.path))
                return
            step = self.model.take(raw.decode(), headers)
            self._fail(step) if isinstance(step, Failed) else self._stream(step)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _fail(self, step: Failed) -> None:
        said = {"type": "error", "error": {"type": step.kind, "message": step.message}}
        body = json.dumps(said).encode() if step.body is None else step.body
        self.send_response(step.status)
        for name, value in (*step.headers, ("content-type", "application/json")):
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, step: Scripted) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("request-id", f"req_{next(_ids):04}")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in _events(step):
            if event["type"] in ("hold", "cut"):
                if event["type"] == "hold":
                    self.model.hold()
                self.close_connection = True
                return
            if event["type"] == "content_block_delta" and step.pause:
                time.sleep(step.pause)
            line = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: stderr belongs to the test."""


@contextmanager
def model_server(script: Script, *, forbidden: Sequence[str] = ()) -> Generator[ModelServer, None, None]:
    """A running server; checked when the block is left without an error."""
    server = ModelServer(script, forbidden)
    try:
        yield server
    finally:
        server.close()
    server.check()


def _events(step: Scripted) -> Iterator[Json]:
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


def html(status: int = 200) -> Failed:
    """What a captive portal answers: a page instead of an API."""
    return replace(failure(status), body=b"<html>sign in</html>")
