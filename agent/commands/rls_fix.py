"""`sergei rls fix`: changes that close leaks and findings, proven in a scratch copy; nothing is applied."""

from __future__ import annotations

import argparse
import asyncio
from typing import Final

from agent import settings as settings_module
from agent.cli import add_target
from agent.commands.progress import progress_line
from agent.commands.writing import deliver, expect, writable
from agent.compose import Choice, open_house
from tools.rls.fixing.mend import ROUNDS
from tools.rls.proof.prove import BUDGET
from tools.rls.propose_fixes import Fixes

_EPILOG: Final = """\
examples:
  sergei rls fix --output fixes.sql          every leak and ERROR finding, as one migration
  sergei rls fix public.medications          what is about one table, its policies too
  sergei rls fix is_staff --tables providers flags

Fixes build upon one another, in the order of the migration; what was tried and failed is said.
exit codes: 0 everything is mended, 1 something is not, 2 usage, 3 could not run, 130 interrupted"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("only", nargs="?", default="", metavar="OBJECT", help="only what contains this")
    add_target(parser)
    parser.add_argument(
        "--tables", nargs="+", metavar="TABLE", default=[], help="attack these tables only: quicker"
    )
    parser.add_argument(
        "--budget",
        type=float,
        default=BUDGET,
        metavar="SECONDS",
        help=f"for a round of attacks; the search takes up to {ROUNDS} times that (default: {BUDGET:.0f})",
    )
    parser.add_argument("--output", metavar="FILE", help="write the migration to a file")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Exit 1 when something could not be mended."""
    output = writable(args.output)
    fixes = asyncio.run(_call(args))
    if args.format == "json":
        deliver(fixes.model_dump_json(indent=2, by_alias=True), output, "Fixes written.")
    else:
        print(fixes.markdown())
        if output is not None:
            deliver(fixes.script, output, f"{len(fixes.offers)} fixes.")
    return 1 if fixes.unmended or fixes.leaks_after or fixes.errors_after or fixes.lost else 0


async def _call(args: argparse.Namespace) -> Fixes:
    arguments = {"only": args.only, "tables": args.tables, "budget": args.budget}
    choice = Choice(args.database_url, args.demo)
    with progress_line() as progress:
        async with open_house(settings_module.load(), choice, face="cli", progress=progress) as house:
            return expect(await house.executor.call("propose_fixes", arguments), Fixes)
