"""`sergei mcp`: the tools for MCP clients, over stdio or HTTP. Investigate mode unless told otherwise."""

from __future__ import annotations

import argparse
import asyncio
import gc
from importlib import import_module

from agent import settings as settings_module
from agent.approvals import Mode
from agent.compose import Choice, open_house
from agent.mcp_progress import tell
from agent.settings import Settings
from prompts import requests
from tools import catalogue
from tools.errors import InvalidInput
from tools.registry import Tool


def run(args: argparse.Namespace) -> int:
    """Serve until the client leaves (stdio) or the server is stopped (HTTP)."""
    settings = settings_module.load()
    choice = Choice(args.database_url, args.demo)
    address = _address(args.http) if args.http else None
    asyncio.run(_serve(settings, choice, Mode(args.mode), address, files=args.memory_tool))
    return 0


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise InvalidInput(f"--http {text} is not HOST:PORT.", hint="For example 127.0.0.1:8765.")
    return host.strip("[]") or "127.0.0.1", int(port)


def _tools(*, files: bool) -> dict[str, Tool]:
    """The catalogue, with the memory tool where it was asked for."""
    if not files:
        return catalogue()
    from tools.recall.memory import memory

    return catalogue() | {memory.name: memory}


async def _serve(
    settings: Settings, choice: Choice, mode: Mode, address: tuple[str, int] | None, *, files: bool
) -> None:
    # Clients wait for the first answer. The protocol's modules load while the target is opened, and nothing
    # that is made until then is garbage: not looking for any saves a fifth.
    gc.disable()
    loading = asyncio.create_task(asyncio.to_thread(import_module, "agent.mcp_server"))
    async with open_house(
        settings, choice, face="mcp", mode=mode, tools=_tools(files=files), progress=tell
    ) as house:
        await loading
        from agent.mcp_server import serve_http, serve_stdio

        gc.freeze()
        gc.enable()
        if address is None:
            await serve_stdio(house.executor, bank=house.bank, requests=requests())
        else:
            host, port = address
            await serve_http(
                house.executor,
                bank=house.bank,
                requests=requests(),
                host=host,
                port=port,
                token=settings.http_token,
            )
