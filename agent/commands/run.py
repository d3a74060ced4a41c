"""`sergei run TOOL`: one tool from the shell. Its flags are its parameters, one for one."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from difflib import get_close_matches
from typing import Any

from agent import settings as settings_module
from agent.approvals import Mode
from agent.commands.progress import progress_line
from agent.compose import Choice, open_house
from agent.executor import Outcome
from agent.terminal.ask import terminal_asker
from tools import catalogue
from tools.errors import InvalidInput
from tools.registry import Effect, Tool

USAGE = "sergei run TOOL [ARGUMENTS]; `sergei tools` lists the tools, `sergei run TOOL --help` explains one"


def run(args: argparse.Namespace) -> int:
    """Print the tool's answer. Exit 0, or the code of its failure."""
    words: list[str] = args.words
    if not words:
        print(f"usage: {USAGE}")
        return 0 if args.help_wanted else 2
    tool = find(words[0])
    flags = parser_for(tool).parse_args(words[1:])
    arguments = arguments_of(tool, flags)
    outcome = asyncio.run(_call(tool, arguments, flags))
    return show(outcome, flags.format)


def find(word: str) -> Tool:
    """The tool of this name; list-tables and list_tables are the same."""
    name = word.replace("-", "_")
    tools = catalogue()
    if name not in tools:
        near = get_close_matches(name, tools, n=1)
        hint = f"Did you mean {near[0].replace('_', '-')}?" if near else "`sergei tools` lists them."
        raise InvalidInput(f"There is no tool called {word}.", hint=hint)
    return tools[name]


def parser_for(tool: Tool) -> argparse.ArgumentParser:
    """A command line for the tool, made from its parameters."""
    from agent.cli import SentenceParser, add_target

    command = tool.name.replace("_", "-")
    parser = SentenceParser(
        prog=f"sergei run {command}",
        description=tool.description,
    )
    group = parser.add_argument_group("arguments of the tool")
    schema = tool.input_schema
    required: list[str] = schema.get("required", [])
    for name, spec in schema.get("properties", {}).items():
        _add(group, name, resolve(spec, schema), required=name in required)
    parser.add_argument("--json", metavar="ARGUMENTS", help="the arguments as one JSON object instead")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_target(parser)
    return parser


def resolve(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The spec of one parameter, with references followed and "or null" dropped."""
    if "$ref" in spec:
        target = schema["$defs"][spec["$ref"].rsplit("/", 1)[-1]]
        return {**target, **{key: value for key, value in spec.items() if key != "$ref"}}
    options = [option for option in spec.get("anyOf", []) if option.get("type") != "null"]
    if len(options) == 1:
        return {**resolve(options[0], schema), **{k: v for k, v in spec.items() if k != "anyOf"}}
    return spec


def _add(group: Any, name: str, spec: dict[str, Any], *, required: bool) -> None:
    flag = "--" + name.replace("_", "-")
    default = spec.get("default")
    help_text = str(spec.get("description", ""))
    if default not in (None, "", [], False):
        help_text += f" (default: {json.dumps(default).strip('[]')})"
    if required:
        help_text += " (required)"
    options: dict[str, Any] = {
        "dest": f"arg_{name}",
        "default": None,
        "help": help_text.strip().replace("%", "%%"),
    }
    if spec.get("type") == "boolean":
        options["action"] = argparse.BooleanOptionalAction
    elif spec.get("type") == "array":
        options |= {"nargs": "+", "metavar": name.upper().removesuffix("S")}
    else:
        options |= {"choices": spec["enum"]} if "enum" in spec else {"metavar": _metavar(spec)}
    group.add_argument(flag, **options)


def _metavar(spec: dict[str, Any]) -> str:
    return {"integer": "N", "number": "N", "object": "JSON"}.get(str(spec.get("type")), "TEXT")


def arguments_of(tool: Tool, flags: argparse.Namespace) -> dict[str, Any]:
    """The tool's arguments from its flags, or from --json. Objects are given as JSON; `-` reads stdin."""
    if flags.json is not None:
        return _object(flags.json, "--json")
    arguments: dict[str, Any] = {}
    schema = tool.input_schema
    for name, spec in schema.get("properties", {}).items():
        value: Any = getattr(flags, f"arg_{name}")
        if value is None:
            continue
        if resolve(spec, schema).get("type") == "object":
            value = _object(value, f"--{name.replace('_', '-')}")
        elif value == "-":
            value = sys.stdin.read()
        arguments[name] = value
    return arguments


def _object(text: str, flag: str) -> dict[str, Any]:
    try:
        value = json.loads(sys.stdin.read() if text == "-" else text)
    except ValueError as error:
        raise InvalidInput(f"{flag} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{flag} must be a JSON object.")
    return value  # pyright: ignore[reportUnknownVariableType]  JSON


async def _call(tool: Tool, arguments: dict[str, Any], flags: argparse.Namespace) -> Outcome:
    settings = settings_module.load()
    asker = terminal_asker(color=settings.color)
    choice = Choice(flags.database_url, flags.demo)
    mode = Mode.INVESTIGATE if tool.effect is Effect.READ else settings.mode
    with progress_line() as progress:
        async with open_house(
            settings, choice, face="cli", mode=mode, asker=asker, progress=progress
        ) as house:
            return await house.executor.call(tool.name, arguments)


def show(outcome: Outcome, form: str) -> int:
    """The answer on stdout, a failure as one sentence on stderr. The exit code."""
    if form == "json":
        print(json.dumps(outcome.structured(), indent=2, ensure_ascii=False))
    elif outcome.failure is None:
        print(outcome.markdown())
    else:
        print(f"sergei: {outcome.failure.sentence()}", file=sys.stderr)
    return outcome.failure.exit_code if outcome.failure else 0
