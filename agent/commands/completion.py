"""`sergei completion SHELL`: the shell's completion script, made from the very parsers that read the words.

The script knows commands, actions, flags and fixed values by itself. Only for the entries of the memory bank
it asks back: `sergei completion entries`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, Final, cast

import shtab

from agent import settings as settings_module
from agent.cli import build_parser
from agent.commands import memory, rls
from agent.commands.run import parser_for
from agent.compose import open_bank
from agent.terminal.safe import one_line
from memory.files import list_files
from tools import catalogue

_ENTRIES: Final[dict[str, Any]] = {
    "bash": "_sergei_entries",
    "zsh": "_sergei_entries",
    "fish": "(sergei completion entries 2>/dev/null)",
    "preamble": {
        "bash": """
_sergei_entries() {
  compgen -W "$(sergei completion entries 2>/dev/null | cut -f1)" -- "$1"
}
""",
        "zsh": """
_sergei_entries() {
  local -a entries
  entries=(${(f)"$(sergei completion entries 2>/dev/null | tr '\\t' ':')"})
  _describe -t entries 'entry of the memory bank' entries
}
""",
    },
}
_FILES: Final = {"FILE", "PATH"}


def run(args: argparse.Namespace) -> int:
    """Print the script, or the entries a line each: id, tab, title."""
    if args.shell == "entries":
        for line in _entries():
            print(line)
        return 0
    print(script(args.shell))
    return 0


def script(shell: str) -> str:
    """The completion script for bash, zsh or fish."""
    parser = build_parser({"rls": _rls, "memory": _memory, "run": _run})
    _mark(parser)
    return shtab.complete(parser, shell)


def _rls(parser: argparse.ArgumentParser) -> None:
    rls.add_actions(parser, rls.ACTIONS)


def _memory(parser: argparse.ArgumentParser) -> None:
    memory.add_actions(parser, memory.ACTIONS)


def _run(parser: argparse.ArgumentParser) -> None:
    tools = parser.add_subparsers(metavar="TOOL")
    for name, tool in catalogue().items():
        tools.add_parser(
            name.replace("_", "-"), parents=[parser_for(tool)], add_help=False, help=tool.summary
        )


def _mark(parser: argparse.ArgumentParser) -> None:
    """Say of each argument that is a file or an entry that it is one."""
    for action in parser._actions:  # pyright: ignore[reportPrivateUsage]  argparse has no public list of them
        below: Any = action.choices
        if isinstance(below, dict):
            for command in cast("dict[str, argparse.ArgumentParser]", below).values():
                _mark(command)
        elif action.metavar in _FILES:
            vars(action)["complete"] = shtab.FILE
        elif action.metavar == "ID" and parser.prog.startswith("sergei memory"):
            vars(action)["complete"] = _ENTRIES


def _entries() -> Iterator[str]:
    """From the names of the files alone: a person who pressed Tab waits. Nothing where memory is off."""
    bank = open_bank(settings_module.load())
    seen: set[str] = set()
    for root in bank.roots if bank else ():
        for file in list_files(root):
            slug, mark, short = file.path.removesuffix(".md").rpartition("/")[2].rpartition("--")
            if mark and short not in seen:
                seen.add(short)
                yield f"{short}\t{one_line(slug).replace('-', ' ')}"
