"""`sergei rls design`: row level security for tables, planned ones too, proven before it is shown."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from agent import settings as settings_module
from agent.cli import add_target
from agent.commands.progress import progress_line
from agent.commands.writing import deliver, expect, writable
from agent.compose import Choice, open_house
from tools.errors import InvalidInput
from tools.rls.design_rls import Designed


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="tables (default: those without a policy)")
    add_target(parser)
    parser.add_argument(
        "--planned", metavar="FILE", help="CREATE TABLE of tables that do not exist yet (- is stdin)"
    )
    parser.add_argument("--role", default="", help="the role that policies are for (default: authenticated)")
    parser.add_argument("--output", metavar="FILE", help="write the migration to a file (- is the terminal)")
    parser.add_argument("--undo", metavar="FILE", help="write the script that takes it back")
    parser.add_argument("--tests", metavar="FILE", help="write the tests, plain SQL")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Exit 1 when the design is not sound; nothing is applied either way."""
    files = {name: writable(getattr(args, name)) for name in ("undo", "tests")}
    output = writable(args.output)
    designed = asyncio.run(_call(args))
    if args.format == "json":
        deliver(designed.model_dump_json(indent=2, by_alias=True), output, "Design written.")
        return 0 if designed.sound else 1
    print(designed.markdown())
    if args.output:
        deliver(designed.script.rstrip(), output, "Migration written.")
    for name, file in files.items():
        if file is not None:
            deliver(str(getattr(designed, name)).rstrip(), file, f"{name.capitalize()} written.")
    return 0 if designed.sound else 1


def planned_text(name: str | None) -> str:
    """The planned tables from a file or from stdin."""
    if name is None:
        return ""
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(
            f"--planned {name} cannot be read.", hint="Give a file with CREATE TABLE."
        ) from None


async def _call(args: argparse.Namespace) -> Designed:
    arguments: dict[str, Any] = {
        "tables": args.tables,
        "planned": planned_text(args.planned),
        "role": args.role,
    }
    choice = Choice(args.database_url, args.demo)
    with progress_line() as progress:
        async with open_house(settings_module.load(), choice, face="cli", progress=progress) as house:
            return expect(await house.executor.call("design_rls", arguments), Designed)
