"""Loopback servers that are not, or not quite, PostgreSQL."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk) -> AsyncGenerator[int]:
    """A server on a free port of the loopback interface; each connection is given to `talk`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A web server, say."""
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and says nothing until the other side gives up."""
    while await reader.read(4096):
        pass


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes at once."""


def answering(severity: str, code: str, message: str, *, ask_password: bool = False) -> Talk:
    """A PostgreSQL that ends every log-in with this error."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _start(reader, writer)
        if ask_password:
            writer.write(b"R" + struct.pack("!ii", 8, 3))
            await writer.drain()
            head = await reader.readexactly(5)
            await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)
        fields = b"".join(
            key + value.encode() + b"\0"
            for key, value in ((b"S", severity), (b"V", severity), (b"C", code), (b"M", message))
        )
        body = fields + b"\0"
        writer.write(b"E" + struct.pack("!i", len(body) + 4) + body)

    return talk


async def _start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read until the start-up packet; decline encryption on the way."""
    while True:
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        packet = await reader.readexactly(length - 4)
        if struct.unpack("!i", packet[:4])[0] not in {80877103, 80877104}:
            return
        writer.write(b"N")
        await writer.drain()
