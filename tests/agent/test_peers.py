"""The table of commands beside pgrls names only what exists here."""

from __future__ import annotations

import re
from pathlib import Path

from agent import commands
from agent.cli import build_parser
from agent.commands import rls
from tools.rls.rules import RULES

TABLE = (Path(commands.__file__).parent / "PEERS.md").read_text()
PLANNED = {"rls fix", "rls speed", "rls design"}
"""Written by the same release, but not everywhere yet when this table was."""


def test_every_command_in_the_table_exists():
    named = set(re.findall(r"`sergei ((?:rls )?[a-z]+)", TABLE))
    assert len(named) > 8
    known = {f"rls {action}" for action in rls.ACTIONS}
    known |= {word for word in ("review", "rules", "mcp") if build_parser().parse_args([word])}
    assert named - known - PLANNED == set()


def test_every_option_in_the_table_exists():
    for command, flags in re.findall(r"`sergei (review|rls [a-z]+)((?: [^`]*)?)`", TABLE):
        action = command.removeprefix("rls ")
        if command in PLANNED and action not in rls.ACTIONS:
            continue
        parser, words = (
            (build_parser(), [command])
            if command == "review"
            else (rls.build_parser([action]), [action, *_least(action)])
        )
        known = {f"--{name.replace('_', '-')}" for name in vars(parser.parse_args(words))}
        assert set(re.findall(r"--[a-z-]+", flags)) <= known, (command, flags)


def _least(action: str) -> list[str]:
    return {"trend": ["x"], "coverage": ["report"]}.get(action, [])


def test_every_rule_in_the_table_exists():
    names = {rule.name for rule in RULES}
    assert set(re.findall(r"`([a-z]+_[a-z_]+)`", TABLE)) <= names
