"""`sergei rls model`: who may see what, as the schema says it and sergei.toml corrects it."""

from __future__ import annotations

import argparse
import asyncio
import textwrap

from agent import settings as settings_module
from agent.cli import add_target
from agent.commands.review import width
from agent.commands.writing import deliver, expect, writable
from agent.compose import Choice, open_house
from tools.rls.show_access_model import AccessModel


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add_target(parser)
    parser.add_argument(
        "--toml", action="store_true", help="the [rls] section of sergei.toml that declares all of it"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--output", metavar="FILE", help="write to a file (- is the terminal)")


def run(args: argparse.Namespace) -> int:
    """Print or write the model. Exit 0, also when there are questions."""
    output = writable(args.output)
    found = asyncio.run(_call(args))
    deliver(render(found, args), output, f"{len(found.questions)} questions.")
    return 0


def render(found: AccessModel, args: argparse.Namespace) -> str:
    """The model as text, as JSON, or as TOML."""
    if args.format == "json":
        return found.model_dump_json(indent=2)
    if args.toml:
        asked = "".join(f"# {question}\n" for question in found.questions)
        return (asked + found.section).rstrip()
    return text(found, width())


def text(found: AccessModel, columns: int) -> str:
    """The lines, wrapped; what belongs to a line is indented below it."""
    source = f"; sergei.toml declares {found.declared} tables" if found.declared else ""
    parts = [f"Who may see what in {found.target}{source}", ""]
    for line in found.lines:
        start = " " * (len(line) - len(line.lstrip()))
        parts.append(textwrap.fill(line, columns, subsequent_indent=start + "    ", break_long_words=False))
    if found.questions:
        parts += ["", "Questions (answer them in [rls] of sergei.toml; --toml writes all of it):"]
        parts += [
            textwrap.fill(f"  {question}", columns, subsequent_indent="    ") for question in found.questions
        ]
    return "\n".join(parts)


async def _call(args: argparse.Namespace) -> AccessModel:
    choice = Choice(args.database_url, args.demo)
    async with open_house(settings_module.load(), choice, face="cli") as house:
        outcome = await house.executor.call("show_access_model", {"toml": args.toml})
        return expect(outcome, AccessModel)
