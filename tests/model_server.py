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
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.messages_api_rules import Json, breaches, drift, holds
from tests.model_script import (
    Call,
    Failed,
    Script,
    Scripted,
    Step,
    events_of,
    failure,
    html,
    reply,
    text,
    thinking,
    use,
)

__all__ = [
    "Call",
    "Failed",
    "ModelServer",
    "Script",
    "Scripted",
    "failure",
    "html",
    "model_server",
    "reply",
    "text",
    "thinking",
    "use",
]


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
        self.send_header("request-id", "req_scripted")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in events_of(step):
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
