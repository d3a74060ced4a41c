"""Slash commands: the conversation's own, and every tool under its name with the flags of `sergei run`."""

from __future__ import annotations

import io
import shlex
from collections.abc import Awaitable, Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from agent.commands.run import arguments_of, parser_for
from agent.terminal.conversation import Conversation
from tools.errors import InvalidInput, NotFound
from tools.registry import Tool


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the conversation. `run` gets what follows the name; True ends the conversation."""

    name: str
    usage: str
    summary: str
    run: Callable[[Conversation, str], Awaitable[bool | None]]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the person runs. `words` is set instead when the answer is a text, as for --help."""

    tool: str
    arguments: Mapping[str, Any]
    words: str = ""
    as_json: bool = False


def named(line: str) -> tuple[str, str]:
    """`/mode act` is ("mode", "act"); the name as it is spelled in the catalogue."""
    name, _, rest = line.strip().removeprefix("/").partition(" ")
    return name.replace("-", "_").lower(), rest.strip()


def unknown(name: str, names: list[str]) -> NotFound:
    """The error for a name that is neither a command nor a tool."""
    near = get_close_matches(name, names, n=1)
    hint = f"Did you mean /{near[0]}?" if near else "/help lists the commands, /tools the tools."
    return NotFound(f"There is no command called /{name}.", hint=hint)


def tool_call(tool: Tool, rest: str) -> ToolCall:
    """The call that `/list_tables --schemas public` means. Raises InvalidInput."""
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise InvalidInput(f"/{tool.name}: {str(error).lower()}.", hint="Close the quotes.") from None
    if "-" in words:
        raise InvalidInput("There is no standard input in a conversation.", hint="Write the value itself.")
    said = io.StringIO()
    parser = parser_for(tool)
    parser.prog = f"/{tool.name}"
    try:
        with redirect_stdout(said), redirect_stderr(said):
            flags = parser.parse_args(words)
    except SystemExit as end:
        if end.code:
            raise InvalidInput(said.getvalue().removeprefix("sergei: ").strip()) from None
        return ToolCall(tool.name, {}, words=said.getvalue().rstrip())
    if flags.demo or flags.database_url:
        raise InvalidInput(
            "A conversation keeps its database.", hint="Leave, and start one with --demo or --database-url."
        )
    return ToolCall(tool.name, arguments_of(tool, flags), as_json=flags.format == "json")
