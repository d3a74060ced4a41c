"""`sergei rls ACTION`: who can reach what, proven. Each action is a module of its own beside this one."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from importlib import import_module
from types import ModuleType
from typing import Final

from agent.cli import SentenceParser

ACTIONS: Final[dict[str, str]] = {
    "model": "show who is meant to see what, as inferred and declared",
    "matrix": "show who may do what: role x relation x command",
    "why": "say why a caller can see or change one row, or why not",
    "diff": "say what changed in who can do what, with an exit code",
    "trend": "show whether saved reports get better over time",
    "coverage": "count which policies your own tests exercise",
    "pr": "judge a change: new findings, and who can do more than before",
    "design": "write policies, helpers, guards and tests for tables, planned ones too, and prove them",
    "fix": "find changes that close leaks and findings, and prove them; nothing is applied",
    "speed": "write slow policies in set-based form, prove that they decide the same, and time both",
}
"""Action -> what it does, in one line; the module is agent/commands/rls_ACTION.py with `add` and `run`."""


def run(args: argparse.Namespace) -> int:
    """Read the action's own words and run it; its exit code is ours."""
    parser = build_parser(args.words[:1])
    found = parser.parse_args(args.words)
    if args.help_wanted or found.action is None:
        parser.print_help()
        return 0
    return int(_module(found.action).run(found))


def build_parser(wanted: list[str]) -> SentenceParser:
    """The command line of `sergei rls`; only the wanted action's module is imported."""
    parser = SentenceParser(
        prog="sergei rls", description="Row level security: models, proofs, fixes, differences."
    )
    add_actions(parser, wanted)
    return parser


def add_actions(parser: argparse.ArgumentParser, wanted: Collection[str]) -> None:
    """Every action on the parser, the wanted ones with their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=SentenceParser)
    for name, summary in ACTIONS.items():
        action = actions.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name in wanted:
            _module(name).add(action)


def _module(action: str) -> ModuleType:
    return import_module(f"agent.commands.rls_{action.replace('-', '_')}")
