"""`sergei memory`: what Sergei remembers, for people."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from agent import settings as settings_module
from agent.compose import open_bank
from memory import Banks, as_markdown
from tools.errors import ConfigurationError, InvalidInput
from tools.recall.translate import translated


def run(args: argparse.Namespace) -> int:
    """list, search WORDS, show ID, lint (exit 1 when a file of the bank has a problem)."""
    bank = open_bank(settings_module.load())
    if bank is None:
        raise ConfigurationError("The memory bank is switched off.", hint="Set [agent] memory = true.")
    words = " ".join(args.words)
    with translated():
        match args.action:
            case "search":
                return _search(bank, words)
            case "show":
                return _show(bank, words)
            case "lint":
                return _lint(bank)
            case _:
                return _list(bank)


def _list(bank: Banks) -> int:
    category = ""
    for entry in sorted(bank.entries(), key=lambda entry: (entry.category, entry.title)):
        if entry.category != category:
            category = entry.category
            print(category)
        mark = "" if entry.status == "active" else f" [{entry.status}]"
        print(f"  {entry.id[-8:].lower()}  {entry.title}{mark}")
    return _caution(bank)


def _search(bank: Banks, words: str) -> int:
    if not words:
        raise InvalidInput("Search for what?", hint="sergei memory search WORDS")
    found = bank.recall(words, now=datetime.now(UTC), limit=10)
    for one in found:
        print(f"{one.entry.id[-8:].lower()}  {one.entry.title}\n          {'; '.join(one.why)}")
        if one.warning:
            print(f"          beware: {one.warning}")
    if not found:
        print("The memory bank has nothing on this.")
    return _caution(bank)


def _show(bank: Banks, entry_id: str) -> int:
    if not entry_id:
        raise InvalidInput("Show which entry?", hint="sergei memory show ID; `sergei memory` lists the ids.")
    print(as_markdown(bank.get(entry_id)))
    return 0


def _lint(bank: Banks) -> int:
    problems = bank.problems()
    for problem in problems:
        print(f"{problem.path}: {problem.message}")
    if not problems:
        print(f"{len(bank.entries())} entries, no problem.")
    return 1 if problems else 0


def _caution(bank: Banks) -> int:
    problems = bank.problems()
    if problems:
        print(f"\n{len(problems)} files of the bank have a problem; `sergei memory lint` names them.")
    return 0
