"""`sergei memory ACTION`: what Sergei remembers, for people. Each group of actions is a module of its own."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from importlib import import_module
from types import ModuleType
from typing import Final

from agent.cli import SentenceParser

ACTIONS: Final[dict[str, tuple[str, str]]] = {
    "list": ("reading", "list the entries by category"),
    "search": ("reading", "find the entries that help with a problem, and why"),
    "show": ("reading", "show an entry whole, with its outcomes and what replaced it"),
    "add": ("writing", "write an entry, from flags, from a file or in your editor"),
    "edit": ("editing", "change an entry in your editor"),
    "outcome": ("marking", "record what came of an entry's action this time"),
    "supersede": ("writing", "write an entry that replaces an older one"),
    "retire": ("marking", "take an entry out of recall, with the reason"),
    "log": ("history", "list the changes of the bank, or of one entry"),
    "diff": ("history", "show what a change did"),
    "restore": ("history", "put an entry back to what it was before a change"),
    "lint": ("checking", "name the files of the bank that have a problem"),
    "stats": ("checking", "count the entries, their outcomes, their age and their use"),
    "export": ("exporting", "write the bank as one Markdown, JSON or HTML file"),
    "review": ("review", "walk through the entries that need a decision"),
    "page": ("exporting", "write the bank as an HTML page with search"),
}
"""Action -> its module (agent/commands/memory_MODULE.py, with `add` and `run`), and what it does."""

_EPILOG: Final = """\
An entry is named by its id, or by the last eight characters of it, as `sergei memory` lists them.
The entries are Markdown files in .sergei/memory of your project, above those that ship with Sergei.
`[agent] memory = false` in sergei.toml, or SERGEI_MEMORY=off, switches the memory bank off.

exit codes:
  0 done, 1 lint or review found something, 2 usage or an entry that cannot be so,
  3 could not run, or somebody else changed the same entry, 4 refused (patient data, a secret)"""


def run(args: argparse.Namespace) -> int:
    """Read the action's own words and run it; without any, list the entries. Its exit code is ours."""
    words: list[str] = args.words or ["list"]
    parser = build_parser(words[:1])
    if args.help_wanted:
        parser.print_help()
        return 0
    found = parser.parse_args(words)
    return int(_module(found.action).run(found))


def build_parser(wanted: list[str]) -> SentenceParser:
    """The command line of `sergei memory`; only the wanted actions' modules are imported."""
    parser = SentenceParser(
        prog="sergei memory",
        description="What Sergei remembers: what worked, what failed, and where it applies.",
        epilog=_EPILOG,
    )
    add_actions(parser, wanted)
    return parser


def add_actions(parser: argparse.ArgumentParser, wanted: Collection[str]) -> None:
    """Every action on the parser, the wanted ones with their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=SentenceParser)
    for name, (_, summary) in ACTIONS.items():
        action = actions.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name in wanted:
            _module(name).add(action, name)


def _module(action: str) -> ModuleType:
    return import_module(f"agent.commands.memory_{ACTIONS[action][0]}")
