"""`sergei rls diff`: what changed in who can do what; an exit code for CI; saves snapshots to compare with.

A person's command line may name files anywhere and database URLs, which the tool diff_access may not.
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from typing import Final

from agent import settings as settings_module
from agent.cli import VERSION, add_target
from agent.commands.writing import deliver, expect, writable
from agent.compose import Choice, open_house
from agent.executor import Outcome
from tools.errors import InvalidInput
from tools.registry import Tool
from tools.rls.diff_access import diff_anywhere, read_side
from tools.rls.diffing.difference import Difference
from tools.rls.diffing.sides import TARGET, Side
from tools.rls.saving import dump

WORKTREE: Final = "worktree"
_EPILOG: Final = """\
a side is one of:
  target                the connected database (--database-url, --demo, sergei.toml)
  demo                  the Guardian demo
  postgresql://...      another database
  FILE.json             a snapshot that --save wrote
  FILE.sql              a dump, restored in the sandbox
  FOLDER, REV:FOLDER    SQL migrations, as they lie there or at a git revision

examples:
  sergei rls diff --save before.json                     keep the state of the target
  sergei rls diff before.json                            what changed since
  sergei rls diff main:supabase/migrations supabase/migrations
  sergei rls diff --migrations supabase/migrations --base main
  sergei rls diff target --migration supabase/migrations/20300101_share.sql

exit codes: 0 nothing at --fail-on, 1 something, 2 usage, 3 could not run"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("sides", nargs="*", metavar="SIDE", help="base and head (default head: target)")
    add_target(parser)
    parser.add_argument(
        "--migration", metavar="FILE", help="compare the base without and with this migration"
    )
    parser.add_argument("--migrations", metavar="FOLDER", help="compare this folder at --base and --head")
    parser.add_argument("--base", metavar="REV", help="git revision before (with --migrations)")
    parser.add_argument("--head", metavar="REV", default=WORKTREE, help="after (default: the worktree)")
    parser.add_argument("--save", metavar="FILE", help="write the snapshot of a side (default: target)")
    parser.add_argument("--format", choices=("text", "json", "markdown", "sarif"), default="text")
    parser.add_argument("--output", metavar="FILE", help="write to a file (- is the terminal)")
    parser.add_argument(
        "--fail-on",
        choices=("widens", "any", "never"),
        default="widens",
        help="what means exit code 1; widens includes what could not be decided (default: widens)",
    )


def run(args: argparse.Namespace) -> int:
    """Compare, or save a snapshot."""
    if args.save is not None:
        return _save(args)
    base, head, migration = sides_of(args)
    output = writable(args.output)
    found = asyncio.run(_compare(args, base, head, migration))
    deliver(render(found, args.format), output, found.sentence())
    return 1 if found.fails(args.fail_on) else 0


def sides_of(args: argparse.Namespace) -> tuple[str, str, str]:
    """Base, head and migration. Raises InvalidInput for words that do not go together."""
    sides: list[str] = args.sides
    if args.migrations:
        if sides or args.migration or not args.base:
            raise InvalidInput("--migrations FOLDER goes with --base REV and no other side.")
        head = args.migrations if args.head == WORKTREE else f"{args.head}:{args.migrations}"
        return f"{args.base}:{args.migrations}", head, ""
    if args.base or args.head != WORKTREE:
        raise InvalidInput("--base and --head go with --migrations FOLDER.", hint="Name sides without flags.")
    if args.migration:
        if len(sides) > 1:
            raise InvalidInput("With --migration there is one side: the state before it.")
        return sides[0] if sides else TARGET, "", args.migration
    if not 1 <= len(sides) <= 2:
        raise InvalidInput(
            "Name the side to compare with.", hint="`sergei rls diff --help` lists what it can be."
        )
    return sides[0], sides[1] if len(sides) == 2 else TARGET, ""


def render(found: Difference, form: str) -> str:
    """The difference in one of the formats."""
    match form:
        case "json":
            return found.model_dump_json(indent=2, by_alias=True)
        case "markdown":
            return found.markdown()
        case "sarif":
            from agent.reports.difference import sarif

            return sarif(found, VERSION)
        case _:
            from agent.reports.difference import text

            return text(found)


async def _compare(args: argparse.Namespace, base: str, head: str, migration: str) -> Difference:
    asked = {"base": base, "head": head or TARGET, "migration": migration}
    return expect(await _call(args, diff_anywhere, asked), Difference)


def _save(args: argparse.Namespace) -> int:
    output = writable(args.save, "--save")
    if len(args.sides) > 1 or args.migration or args.migrations:
        raise InvalidInput("--save takes one side.")
    asked = {"side": args.sides[0] if args.sides else TARGET}
    side = expect(asyncio.run(_call(args, read_side, asked)), Side)
    deliver(dump(side.snapshot, side.name, datetime.now(UTC)), output, side.markdown())
    return 0


async def _call(args: argparse.Namespace, tool: Tool, asked: dict[str, str]) -> Outcome:
    """A tool for a person's command line only, through the gate."""
    choice = Choice(args.database_url, args.demo)
    async with open_house(settings_module.load(), choice, face="cli", tools={tool.name: tool}) as house:
        return await house.executor.call(tool.name, asked)
