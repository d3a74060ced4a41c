"""What the actions of `sergei memory` share: the opened bank, paper to write on, a person to ask."""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import sys
import textwrap
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, TextIO

from agent import settings as settings_module
from agent.compose import open_bank
from agent.reports.memory_text import INDENT, folded
from agent.reports.text import Paper
from agent.settings import Settings
from agent.terminal.safe import harmless
from memory import Banks, Entry, Source, usage
from tools.errors import ConfigurationError
from tools.recall.translate import translated

WIDEST: Final = 100
"""Columns of running text: wider lines are read less well."""

_UNFOLDED: Final = 100_000
"""In a pipe a line stays a line, so that `grep` finds it whole."""


@dataclass(frozen=True, slots=True)
class Access:
    """The memory bank as a person at a terminal, or a script, gets at it."""

    settings: Settings
    bank: Banks
    paper: Paper
    now: datetime

    def homes(self) -> dict[str, str]:
        """Each entry that does not ship with Sergei: its id, and the name of the uppermost bank it is in."""
        return {
            entry.id: name for name, bank in reversed(self.bank.places.items()) for entry in bank.entries()
        }

    def own(self) -> tuple[Entry, ...]:
        """The entries that do not ship with Sergei, oldest first."""
        homes = self.homes()
        return tuple(entry for entry in self.bank.entries() if entry.id in homes)

    def writing(self, name: str | None) -> Access:
        """The same, with the bank of this name as the one that is written; without a name as it is."""
        return replace(self, bank=self.bank.in_place(name)) if name else self

    def recalls(self) -> usage.Usage:
        """How often the entries were recalled here."""
        return usage.read(self.settings.recalls_file, self.settings.bank_folder)

    @property
    def drafts(self) -> Path:
        """Where texts wait that are not in the bank (yet)."""
        return self.settings.state_dir / "memory-drafts"

    def say(self, lines: Iterable[str], indent: int = INDENT) -> None:
        """Lines of a list, folded on a terminal. What came out of files is made harmless here."""
        for line in folded(map(harmless, lines), self.paper, indent):
            print(line)

    def page(self, markdown: str) -> None:
        """Markdown, drawn on a terminal and as it is in a pipe."""
        if not sys.stdout.isatty():
            print(harmless(markdown).rstrip("\n"))
            return
        from agent.terminal.screen import Screen

        screen = Screen(color=self.paper.colour)
        screen.touched()
        screen.block(markdown)
        screen.gap()


def add_bank(parser: argparse.ArgumentParser, *, copies: bool = True) -> None:
    """The flag that says which bank is written, and whether an entry of another one is copied for that."""
    copied = "; an entry from elsewhere is copied there first" if copies else ""
    parser.add_argument(
        "--bank",
        choices=("workspace", "team", "user"),
        help=f"which bank is written (default: the workspace's{copied})",
    )


@contextmanager
def opened() -> Generator[Access]:
    """The bank of the present workspace; its errors are ours. ConfigurationError when it is switched off."""
    settings = settings_module.load()
    with translated():
        bank = bank_of(open_bank(settings, who=person()))
        yield Access(settings, bank, _paper(settings), datetime.now(UTC))


def bank_of(bank: Banks | None) -> Banks:
    """The bank, which may be switched off: then one sentence says so, the same on every face."""
    if bank is None:
        raise ConfigurationError(
            "The memory bank is switched off.",
            hint="Set [agent] memory = true in sergei.toml, and leave SERGEI_MEMORY unset or on.",
        )
    return bank


def _paper(settings: Settings) -> Paper:
    if not sys.stdout.isatty():
        return Paper(_UNFOLDED, False)
    return Paper(min(shutil.get_terminal_size().columns, WIDEST), settings.color)


def tell(text: str) -> None:
    """What was done, as the result."""
    _print(text, sys.stdout)


def note(text: str) -> None:
    """Something for the person, beside the result: it must not end up in a pipe."""
    _print(text, sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    said = harmless(text)
    if stream.isatty():
        columns = min(shutil.get_terminal_size().columns, WIDEST)
        wrap = partial(textwrap.fill, width=columns, break_long_words=False, break_on_hyphens=False)
        said = "\n".join(wrap(line) for line in said.split("\n"))
    print(said, file=stream)


def somebody_there() -> bool:
    """Whether a person can be asked."""
    stdin: object = sys.stdin  # None where a service closed it
    return stdin is not None and os.isatty(0) and sys.stdout.isatty()


def ask(question: str, choices: Sequence[str], default: str) -> str:
    """One of `choices` (their first letters will do); the default on Enter and at the end of the input."""
    shown = "/".join(word.upper() if word == default else word for word in choices)
    while True:
        said = answer(f"{question} [{shown}]").casefold()
        found = [word for word in choices if said and word.startswith(said)]
        if not said:
            return default
        if len(found) == 1:
            return found[0]
        print(f"  Please answer one of: {', '.join(choices)}.")


def answer(question: str) -> str:
    """A line that the person types, empty at the end of the input."""
    try:
        return input(f"{question} ").strip()
    except EOFError:
        print()
        return ""


def person() -> str:
    """The name of the account at this machine."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def by_hand() -> Source:
    """The source of what a person writes."""
    return Source(person(), "person")
