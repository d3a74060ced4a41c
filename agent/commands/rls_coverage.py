"""`sergei rls coverage`: which policies a test run exercised, counted by PostgreSQL while the tests ran."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Final

from agent import settings as settings_module
from agent.cli import add_target
from agent.commands.writing import deliver, expect, writable
from agent.compose import Choice, open_house
from agent.terminal.ask import terminal_asker
from tools.errors import InvalidInput

if TYPE_CHECKING:
    from agent.compose import House
    from tools.rls.coverage.measure import Measured


_EPILOG: Final = """\
how it goes:
  sergei rls coverage start     every policy of the test database counts from now on (asked)
  ... run your tests as the roles that the policies are for ...
  sergei rls coverage report    which policies never decided, or only ever one way
  sergei rls coverage stop      every policy is put back word for word (asked)

where nobody can be asked (the same for stop):
  sergei rls coverage start --print | psql "$TEST_DATABASE_URL"

Counts survive ROLLBACK. A production database is refused, and a superuser is needed.
exit codes: 0 done, 1 below --fail-under, 2 usage, 3 could not run, 4 refused"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("step", choices=("start", "report", "stop"))
    add_target(parser)
    parser.add_argument("--print", action="store_true", help="only print the SQL of start or stop")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    parser.add_argument("--output", metavar="FILE", help="write the report to a file (- is the terminal)")
    parser.add_argument(
        "--fail-under",
        type=float,
        metavar="PERCENT",
        help="exit code 1 when fewer policies than this decided anything",
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0; 1 below --fail-under; 4 when nobody said yes."""
    if args.print and args.step == "report":
        raise InvalidInput("--print is for start and stop.")
    if args.fail_under is not None and args.step != "report":
        raise InvalidInput("--fail-under is for report.")
    if args.fail_under is not None and not 0 <= args.fail_under <= 100:
        raise InvalidInput("--fail-under is a percentage from 0 to 100.")
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from tools.rls.coverage import measure

    settings = settings_module.load()
    offered = {tool.name: tool for tool in measure.TOOLS}
    choice = Choice(args.database_url, args.demo)
    asker = terminal_asker(color=settings.color)
    async with open_house(settings, choice, face="cli", asker=asker, tools=offered) as house:
        if args.step == "report":
            return await _report(house, args)
        if args.print:
            outcome = await house.executor.call("script_coverage", {"step": args.step})
            print(expect(outcome, measure.Script).text, end="")
            return 0
        outcome = await house.executor.call(f"{args.step}_coverage", {})
        print(_told(expect(outcome, measure.Measured), args.step))
        return 0


def _told(done: Measured, step: str) -> str:
    if step == "start":
        return (
            f"{done.clauses} policy clauses of {done.target} count from now on. Run the tests as the roles "
            "that the policies are for, then: sergei rls coverage report"
        )
    left = f" Left alone, as somebody changed them meanwhile: {', '.join(done.left)}." if done.left else ""
    return f"{done.clauses} policy clauses of {done.target} have their own text back.{left}"


async def _report(house: House, args: argparse.Namespace) -> int:
    from agent.reports import coverage
    from tools.rls.coverage.measure import PolicyCoverage

    output = writable(args.output)
    found = expect(await house.executor.call("report_coverage", {}), PolicyCoverage)
    writers = {"text": coverage.text, "json": coverage.document, "markdown": coverage.markdown}
    deliver(writers[args.format](found), output, coverage.sentence(found))
    return 1 if args.fail_under is not None and found.percent < args.fail_under else 0
