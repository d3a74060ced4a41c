"""`sergei memory lint, stats`: whether the files are sound, and what they amount to."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from agent.commands.memory_access import Access, opened
from agent.reports import memory_stats


def add(parser: argparse.ArgumentParser, action: str) -> None:
    """The arguments of one action."""
    if action == "lint":
        parser.epilog = (
            "Each file is read as recall reads it: front matter, id, category, git conflict markers,\n"
            "patient data and secrets. One line each, `FILE: what is wrong`, and exit code 1."
        )
    parser.add_argument("--json", action="store_true", help="for a program")


def run(args: argparse.Namespace) -> int:
    """Print it. `lint` ends with 1 when a file of the bank has a problem."""
    with opened() as access:
        return _lint(access, args.json) if args.action == "lint" else _stats(access, args.json)


def _lint(access: Access, as_json: bool) -> int:
    problems = access.bank.problems()
    if as_json:
        found = [{"path": str(one.path), "message": one.message} for one in problems]
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        access.say((f"{_near(one.path)}: {one.message}" for one in problems), 2)
        if not problems:
            print(f"{len(access.bank.entries())} entries, no problem.")
    return 1 if problems else 0


def _near(path: Path) -> str:
    """The path as it is typed here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _stats(access: Access, as_json: bool) -> int:
    found = memory_stats.stats(
        access.bank.entries(),
        access.homes(),
        access.recalls(),
        access.now,
        len(access.bank.problems()),
    )
    if as_json:
        print(json.dumps(memory_stats.document(found), indent=2, ensure_ascii=False))
    else:
        access.say(memory_stats.lines(found), 20)
    return 0
