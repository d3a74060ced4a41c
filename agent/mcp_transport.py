"""Where the MCP face listens: stdin, or a socket with a door-keeper. Knows nothing of the protocol.

A signal always ends it: SIGTERM returns to the caller (exit 0), SIGINT is left to asyncio.run, which raises
KeyboardInterrupt (exit 130).
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from hashlib import sha256
from io import TextIOWrapper
from ipaddress import ip_address
from types import FrameType
from typing import Final, TextIO, TypeVar, cast

import anyio
import uvicorn
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tools.errors import ConfigurationError, Conflict

TOKEN_CHARS: Final = 16
"""A token shorter than this can be guessed over a network."""

_GRACE_SECONDS: Final = 1
_DRAIN_SECONDS: Final = 2
_LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")

T = TypeVar("T")
M = TypeVar("M")


class Lines(anyio.AsyncFile[str]):
    """The lines of a file, read by a daemon thread.

    A blocked read cannot be cancelled: read in a worker thread, as anyio does it, Ctrl-C would wait for the
    client's next line.
    """

    def __init__(self, file: TextIOWrapper) -> None:
        super().__init__(file)
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._pump, args=(file, loop), name="stdin", daemon=True).start()

    def _pump(self, file: TextIOWrapper, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop was closed while we waited for a line
            with suppress(OSError):  # the other end is gone: the same as the end of the file
                for line in file:
                    loop.call_soon_threadsafe(self._lines.put_nowait, line)
            loop.call_soon_threadsafe(self._lines.put_nowait, "")

    async def readline(self) -> str:
        """The next line, or an empty string at the end, as often as it is asked."""
        line = await self._lines.get()
        if not line:
            self._lines.put_nowait("")
        return line


@contextmanager
def stdin_lines() -> Generator[Lines]:
    """stdin for us alone: meanwhile descriptor 0 is empty, so that no child process reads from the client.

    Raises ConfigurationError when there is no stdin.
    """
    # Closed by whoever started us, descriptor 0 is by now something else of ours (asyncio's own, for one).
    if cast("TextIO | None", sys.stdin) is None:
        raise ConfigurationError("There is no stdin to serve.", hint="Let an MCP client start it.")
    private = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        # closefd=False: the reading thread may outlive us, and a closed descriptor's number is used again.
        yield Lines(
            TextIOWrapper(os.fdopen(private, "rb", closefd=False), encoding="utf-8", errors="replace")
        )
    finally:
        os.dup2(private, 0)


@contextmanager
def ended_by_sigterm() -> Generator[None]:
    """Leave the block quietly on SIGTERM, with everything inside it cleaned up."""
    loop = asyncio.get_running_loop()
    with anyio.CancelScope() as scope:
        loop.add_signal_handler(signal.SIGTERM, scope.cancel)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGTERM)


@contextmanager
def ended_by_departure() -> Generator[None]:
    """Leave the block quietly when nobody reads any more: a client that was killed closes stdout first."""
    try:
        yield
    except* (BrokenPipeError, ConnectionResetError, anyio.BrokenResourceError):
        logging.getLogger(__name__).info("the client is gone")


@asynccontextmanager
async def answered_to_the_end(
    source: AsyncIterable[T],
    send: Callable[[M], Awaitable[None]],
    asks: Callable[[T], object],
    answers: Callable[[M], object],
) -> AsyncGenerator[tuple[MemoryObjectReceiveStream[T], MemoryObjectSendStream[M]]]:
    """`source` and `send` again, but the end of `source` waits until what was asked before it is answered.

    The server drops open requests when its input ends, and `sergei mcp < requests.jsonl` would see nothing.
    `asks` and `answers` give the id of the request that a message is or answers, or None.
    """
    entry, read = anyio.create_memory_object_stream[T]()
    write, exit_ = anyio.create_memory_object_stream[M]()
    waiting: set[object] = set()
    quiet = asyncio.Event()
    quiet.set()

    async def inwards() -> None:
        async with entry:
            async for item in source:
                if (asked := asks(item)) is not None:
                    waiting.add(asked)
                    quiet.clear()
                await entry.send(item)
            with anyio.move_on_after(_DRAIN_SECONDS):
                await quiet.wait()

    async def outwards() -> None:
        async with exit_:
            async for item in exit_:
                await send(item)
                waiting.discard(answers(item))
                if not waiting:
                    quiet.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(inwards)
        tasks.start_soon(outwards)
        yield read, write
        tasks.cancel_scope.cancel()


def open_door(host: str, port: int, token: str | None) -> socket.socket:
    """A listening socket. Without a token only a loopback address is opened; port 0 takes any free one.

    Raises ConfigurationError for an address that cannot or must not be used, Conflict when it is taken.
    """
    if token is not None and len(token) < TOKEN_CHARS:
        raise ConfigurationError(
            f"SERGEI_TOKEN is shorter than {TOKEN_CHARS} characters.", hint="Use a longer one."
        )
    family, address = _resolve(host, port)
    if token is None and not ip_address(address).is_loopback:
        raise ConfigurationError(
            f"{host} can be reached from other machines and no token is set, so the server was not started.",
            hint="Set SERGEI_TOKEN, or listen on 127.0.0.1.",
        )
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Conflict(f"Port {port} on {host} is already in use.", hint="Choose another port.") from None
        raise ConfigurationError(f"The server cannot listen on {host}:{port} ({error.strerror}).") from None


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    if not 0 <= port <= 65535:
        raise ConfigurationError(f"{port} is not a port.", hint="Use a number from 1 to 65535.")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):  # UnicodeError: a label that IDNA refuses
        raise ConfigurationError(
            f"{host!r} is not an address of this machine.", hint="Use 127.0.0.1."
        ) from None
    return family, str(address[0])


def url_of(door: socket.socket) -> str:
    """Where clients find the server behind this socket."""
    address, port = door.getsockname()[:2]
    return f"http://{f'[{address}]' if ':' in address else address}:{port}/mcp"


def host_names(host: str, door: socket.socket) -> tuple[str, ...] | None:
    """The Host names a request may carry: a page that rebinds its own name to our address carries another.

    None for a wildcard address, whose names we cannot know: there the token, which is compulsory, keeps such
    a page out.
    """
    address = str(door.getsockname()[0])
    if ip_address(address).is_unspecified:
        return None
    names = dict.fromkeys((*_LOOPBACK_NAMES, host, f"[{address}]" if ":" in address else address))
    return (*names, *(f"{name}:*" for name in names))


class TokenRequired:
    """ASGI door-keeper: nothing passes without `Authorization: Bearer TOKEN`."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._seal = _seal(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] == "lifespan" or self._admits(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refusal = PlainTextResponse(
            "This server needs Authorization: Bearer with its token (SERGEI_TOKEN).",
            status_code=401,
            headers={"WWW-Authenticate": 'Bearer realm="sergei"'},
        )
        await refusal(scope, receive, send)

    def _admits(self, headers: Headers) -> bool:
        given = headers.getlist("authorization")
        scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
        # Digests, so that the comparison takes the same time for every length too.
        return hmac.compare_digest(_seal(token.strip()), self._seal) and scheme.lower() == "bearer"


def _seal(token: str) -> bytes:
    return sha256(token.encode(errors="surrogateescape")).digest()


class _Listener(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Streams and calls stay open as long as clients like: that they are cut off now is no error.
        logging.disable(logging.ERROR)
        super().handle_exit(sig, frame)


async def listen(app: ASGIApp, door: socket.socket) -> None:
    """Serve `app` on `door` until a signal. Open requests get a second to finish, then are cancelled."""
    config = uvicorn.Config(
        app,
        log_config=None,  # its own would write to stdout
        access_log=False,
        ws="none",
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    # Once shut down, uvicorn raises the signal again for whoever was there before it. SIGINT goes to asyncio;
    # SIGTERM has been obeyed by then, and must not kill us before our own resources are closed.
    previous = signal.signal(signal.SIGTERM, _obeyed)
    try:
        await _Listener(config).serve(sockets=[door])
    finally:
        signal.signal(signal.SIGTERM, previous)
        logging.disable(logging.NOTSET)
        door.close()


def _obeyed(_: int, __: FrameType | None) -> None:
    """SIGTERM has been dealt with."""
