"""`sergei rls speed`: policies in their set-based form, proven to decide the same, and timed."""

from __future__ import annotations

import argparse
import asyncio

from agent import settings as settings_module
from agent.cli import add_target
from agent.commands.progress import progress_line
from agent.commands.writing import deliver, expect, writable
from agent.compose import Choice, open_house
from tools.rls.rewrite_policies import Rewrites


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="only these (default: all)")
    add_target(parser)
    parser.add_argument(
        "--rows", type=int, default=100_000, metavar="N", help="rows to measure on (0: no measurement)"
    )
    parser.add_argument("--output", metavar="FILE", help="write the migration to a file")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Exit 0: slow is no fault."""
    output = writable(args.output)
    found = asyncio.run(_call(args))
    if args.format == "json":
        deliver(found.model_dump_json(indent=2, by_alias=True), output, "Rewrites written.")
        return 0
    print(found.markdown())
    if output is not None:
        script = "\n\n".join(["begin;", *(one.sql for one in found.rewritten), "commit;"])
        deliver(script, output, f"{len(found.rewritten)} tables.")
    return 0


async def _call(args: argparse.Namespace) -> Rewrites:
    arguments = {"tables": args.tables, "rows": args.rows}
    choice = Choice(args.database_url, args.demo)
    with progress_line() as progress:
        async with open_house(settings_module.load(), choice, face="cli", progress=progress) as house:
            return expect(await house.executor.call("rewrite_policies", arguments), Rewrites)
