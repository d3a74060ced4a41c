"""`sergei review`: run the reviewers of the chosen domains and print or write one report."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agent import settings as settings_module
from agent.cli import VERSION
from agent.compose import Choice, House, open_house
from agent.executor import Outcome
from agent.reports.text import Paper, text
from tools.errors import InvalidInput, RemoteError, SergeiError
from tools.findings import Level
from tools.review import Review

DOMAINS: Final = {"rls": "review_rls"}
"""What can be reviewed, and the tool that does it."""


def run(args: argparse.Namespace) -> int:
    """Exit 1 when a finding is at or above --fail-on."""
    domains = domains_of(args.domains)
    output = _writable(args.output)
    settings = settings_module.load()

    async def go() -> Review:
        choice = Choice(args.database_url, args.demo)
        async with open_house(settings, choice, face="cli") as house:
            return await review(house, domains, only=args.only, skip=args.skip, schemas=args.schemas)

    found = asyncio.run(go())
    to_terminal = output is None and sys.stdout.isatty()
    report = render(found, args.format, Paper(width(), to_terminal and settings.color))
    if output is None:
        print(report)
    else:
        output.write_text(report + "\n", encoding="utf-8")
        print(f"{found.summary.sentence()} Written to {output}.", file=sys.stderr)
    return 1 if at_or_above(found, args.fail_on) else 0


def domains_of(words: list[str]) -> list[str]:
    """The named domains, or all of them."""
    for word in words:
        if word not in DOMAINS:
            raise InvalidInput(
                f"There is nothing to review called {word!r}.", hint=f"Known: {', '.join(DOMAINS)}."
            )
    return words or list(DOMAINS)


async def review(
    house: House, domains: list[str], *, only: list[str], skip: list[str], schemas: list[str]
) -> Review:
    """The findings of the domains. With several, they become one report."""
    arguments = {"only": only, "skip": skip} | ({"schemas": schemas} if schemas else {})
    outcomes = [await house.executor.call(DOMAINS[name], arguments) for name in domains]
    return Review.together([expect_review(outcome) for outcome in outcomes])


def expect_review(outcome: Outcome) -> Review:
    """The review inside an outcome; its failure as the error it was."""
    if isinstance(outcome.result, Review):
        return outcome.result
    failure = outcome.failure
    if failure is None:
        raise RemoteError(f"{outcome.tool} did not return a review.")
    kinds = {kind.kind: kind for kind in SergeiError.__subclasses__()}
    raise kinds.get(failure.kind, RemoteError)(failure.message, hint=failure.hint, code=failure.code)


def at_or_above(found: Review, fail_on: str) -> bool:
    """Whether a finding reaches the level that fails."""
    if fail_on == "never":
        return False
    return any(finding.level.rank <= Level[fail_on.upper()].rank for finding in found.findings)


def render(found: Review, form: str, paper: Paper) -> str:
    """The report in one of the formats, without a closing newline."""
    match form:
        case "json":
            return found.model_dump_json(indent=2, by_alias=True)
        case "sarif":
            from agent.reports.sarif import sarif
            from tools.rls.rules import RULES

            return sarif(found, RULES, VERSION)
        case "markdown":
            from agent.reports.markdown import markdown

            return markdown(found)
        case "html":
            from agent.reports.html import html

            return html(found, datetime.now(UTC)).rstrip()
        case _:
            return text(found, paper)


def width() -> int:
    """Columns to write: the terminal's, but no more than reads well."""
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 110))


def _writable(name: str | None) -> Path | None:
    """The output file, refused before any work when it cannot be written."""
    if name is None:
        return None
    path = Path(name)
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise InvalidInput(f"{name} cannot be written.", hint="Give a file in an existing folder.")
    return path
