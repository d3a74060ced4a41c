"""`sergei rls matrix`: role x relation x command, effective, for a terminal, a spreadsheet or a page."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime

from agent import settings as settings_module
from agent.cli import add_target
from agent.commands.writing import deliver, expect, writable
from agent.compose import Choice, open_house
from tools.rls.matrix.answer import Matrix


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "relations", nargs="*", metavar="RELATION", help="only these, with reasons (default: all)"
    )
    add_target(parser)
    parser.add_argument("--schemas", nargs="+", metavar="SCHEMA", default=[], help="only these schemas")
    parser.add_argument(
        "--roles", nargs="+", metavar="ROLE", default=[], help="these roles (default: the outsiders)"
    )
    parser.add_argument("--detail", action="store_true", help="say for every cell what it rests on")
    parser.add_argument("--format", choices=("text", "csv", "html", "json"), default="text")
    parser.add_argument("--output", metavar="FILE", help="write to a file (- is the terminal)")


def run(args: argparse.Namespace) -> int:
    """Print or write the matrix."""
    output = writable(args.output)
    found = asyncio.run(_call(args))
    summary = f"{len(found.relations)} relations, {len(found.roles)} roles."
    deliver(render(found, args.format), output, summary)
    return 0


def render(found: Matrix, form: str) -> str:
    """The matrix in one of the formats."""
    from agent.reports import matrix

    match form:
        case "json":
            return found.model_dump_json(indent=2, by_alias=True)
        case "csv":
            return matrix.csv_text(found)
        case "html":
            return matrix.html(found, datetime.now(UTC))
        case _:
            return matrix.text(found)


async def _call(args: argparse.Namespace) -> Matrix:
    arguments = {
        "schemas": args.schemas,
        "roles": args.roles,
        "relations": args.relations,
        "detail": args.detail or args.format in ("csv", "html"),
    }
    choice = Choice(args.database_url, args.demo)
    async with open_house(settings_module.load(), choice, face="cli") as house:
        return expect(await house.executor.call("access_matrix", arguments), Matrix)
