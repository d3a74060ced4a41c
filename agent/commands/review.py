"""`sergei review`: run the reviewers of the chosen domains and print or write one report."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from agent import settings as settings_module
from agent.cli import VERSION
from agent.compose import Choice, House, open_house
from agent.executor import Outcome
from agent.reports.text import Paper, text
from agent.settings import Settings
from tools.errors import ConfigurationError, InvalidInput, RemoteError, SergeiError, Unavailable
from tools.findings import Level
from tools.review import Review

DOMAINS: Final = {"rls": "review_rls"}
"""What can be reviewed, and the tool that does it."""


def run(args: argparse.Namespace) -> int:
    """Exit 1 when a finding is at or above --fail-on."""
    domains = domains_of(args.domains)
    output = _writable(args.output)
    settings = settings_module.load()
    _check_suppressions(settings)

    async def go() -> Review:
        choice = Choice(args.database_url, args.demo)
        async with open_house(settings, choice, face="cli") as house:
            return await review(house, domains, only=args.only, skip=args.skip, schemas=args.schemas)

    found = asyncio.run(go())
    to_terminal = output is None and sys.stdout.isatty()
    report = render(found, args.format, Paper(width(), to_terminal and settings.color))
    if output is None:
        with suppress(BrokenPipeError):  # of `sergei review | head` the exit code still tells
            print(report, flush=True)
    else:
        _write(output, report + "\n")
        print(f"{found.summary.sentence()} Written to {output}.", file=sys.stderr)
    return 1 if at_or_above(found, args.fail_on) else 0


def _check_suppressions(settings: Settings) -> None:
    """A suppression of a rule that does not exist suppresses nothing, and nobody would notice."""
    from tools.rls.rules import RULES

    names = [rule.name for rule in RULES]
    for one in settings.suppressions:
        if one.rule not in names:
            near = get_close_matches(one.rule, names, n=1)
            raise ConfigurationError(
                f"sergei.toml suppresses the rule {one.rule}, which does not exist.",
                hint=f"Did you mean {near[0]}?" if near else "`sergei rules` lists them.",
            )


def domains_of(words: list[str]) -> list[str]:
    """The named domains, or all of them."""
    for word in words:
        if word not in DOMAINS:
            raise InvalidInput(
                f"There is nothing to review called {word!r}.", hint=f"Known: {', '.join(DOMAINS)}."
            )
    return list(dict.fromkeys(words)) or list(DOMAINS)


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
    if name is None or name == "-":
        return None
    path = Path(name)
    place = path if path.exists() else path.parent
    if not name or path.is_dir() or not place.exists() or not os.access(place, os.W_OK):
        raise InvalidInput(f"--output {name!r} cannot be written.", hint="Give a file in an existing folder.")
    return path


def _write(output: Path, report: str) -> None:
    """Write the file. Raises Unavailable, for instance when the disk is full."""
    try:
        output.write_text(report, encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"The report cannot be written to {output} ({error.strerror}).") from None
