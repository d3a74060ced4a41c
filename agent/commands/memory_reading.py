"""`sergei memory list, search, show`: reading the bank."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Final

from agent.commands.memory_access import Access, note, opened
from agent.reports.memory_json import document
from agent.reports.memory_text import hits, successors_of, titles
from agent.terminal.safe import harmless
from memory import CATEGORIES, Entry, as_markdown, usage
from memory.entry import STATUSES
from memory.ranking import warning
from memory.ulid import tail
from tools.errors import InvalidInput

_SHIPPED: Final = "starter"
_EXAMPLES: Final = {
    "list": "  sergei memory list --category security-configurations\n  sergei memory list --own --json",
    "search": (
        "  sergei memory search infinite recursion in policy\n"
        "  sergei memory search --table care_notes slow timeline"
    ),
    "show": "  sergei memory show 7347kndk",
}


def add(parser: argparse.ArgumentParser, action: str) -> None:
    """The arguments of one action."""
    parser.epilog = f"examples:\n{_EXAMPLES[action]}"
    match action:
        case "list":
            parser.add_argument("--category", choices=CATEGORIES, metavar="NAME", help=", ".join(CATEGORIES))
            parser.add_argument("--status", choices=STATUSES, help="only entries of this status")
            parser.add_argument("--own", action="store_true", help="leave out what ships with Sergei")
        case "search":
            parser.add_argument("words", nargs="+", metavar="WORDS", help="a problem, an error text, a table")
            parser.add_argument(
                "--table",
                action="append",
                default=[],
                metavar="NAME",
                help="a table at hand (again for more)",
            )
            parser.add_argument(
                "--service",
                action="append",
                default=[],
                metavar="NAME",
                help="a service at hand, e.g. render",
            )
            parser.add_argument("--limit", type=_positive, default=10, metavar="N", help="default: 10")
        case _:
            parser.add_argument("id", metavar="ID", help="the entry")
            parser.add_argument("--raw", action="store_true", help="the file as it is")
    parser.add_argument("--json", action="store_true", help="for a program")


def run(args: argparse.Namespace) -> int:
    """Print what was asked for."""
    with opened() as access:
        match args.action:
            case "list":
                return _list(access, args)
            case "search":
                return _search(access, args)
            case _:
                return _show(access, args)


def _positive(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 1000:
        raise argparse.ArgumentTypeError("must be a number from 1 to 1000")
    return int(text)


def _list(access: Access, args: argparse.Namespace) -> int:
    everything = access.bank.entries()
    homes = access.homes()
    successors = successors_of(everything)
    wanted = [
        entry
        for entry in everything
        if args.category in (None, entry.category)
        and args.status in (None, entry.status)
        and (not args.own or entry.id in homes)
    ]
    if args.json:
        return _print([_brief(entry, successors, homes) for entry in wanted])
    access.say(titles(wanted, successors, access.now.date()))
    if not wanted:
        note(
            "No entry fits."
            if everything
            else "The memory bank is empty; `sergei memory add` writes an entry."
        )
    return _caution(access)


def _search(access: Access, args: argparse.Namespace) -> int:
    words = " ".join(args.words)
    if not words.strip():
        raise InvalidInput("Search for what?", hint="sergei memory search WORDS")
    scope = {name: names for name, names in (("table", args.table), ("service", args.service)) if names}
    found = access.bank.recall(words, now=access.now, applies_to=scope, limit=args.limit)
    settings = access.settings
    ids = [one.entry.id for one in found]
    usage.note(settings.recalls_file, settings.bank_folder, ids, now=access.now)
    if args.json:
        successors = {one.entry.id: one.superseded_by for one in found if one.superseded_by}
        homes = access.homes()
        return _print(
            [
                _brief(one.entry, successors, homes)
                | {"score": round(one.score, 3), "why": list(one.why), "warning": one.warning}
                for one in found
            ]
        )
    access.say(hits(found))
    if not found:
        note("The memory bank has nothing on this.")
    return _caution(access)


def _show(access: Access, args: argparse.Namespace) -> int:
    entry = access.bank.get(args.id)
    path, text = access.bank.source(args.id)
    if args.raw:
        sys.stdout.write(harmless(text) if sys.stdout.isatty() else text)
        return 0
    successor = successors_of(access.bank.entries()).get(entry.id)
    if args.json:
        return _print(
            document(entry, successor)
            | {"bank": access.bank.place_of(entry.id) or _SHIPPED, "path": str(path)}
        )
    access.page(as_markdown(entry))
    counted = access.recalls()
    facts = [f"recalled {counted.times(entry.id)}x here" if counted.since else "", str(path)]
    if successor:
        facts.insert(0, f"Superseded: read {tail(successor)} instead.")
    elif (caution := warning(entry)) is not None:
        facts.insert(0, f"Beware: {caution}")
    for line in filter(None, facts):
        note(line)
    return 0


def _brief(entry: Entry, successors: dict[str, str], homes: dict[str, str]) -> dict[str, Any]:
    whole = document(entry, successors.get(entry.id))
    left_out = ("context", "action", "result", "why", "preamble", "outcomes")
    return {key: value for key, value in whole.items() if key not in left_out} | {
        "bank": homes.get(entry.id, _SHIPPED)
    }


def _print(value: Any) -> int:
    print(json.dumps(value, indent=2, ensure_ascii=False))
    return 0


def _caution(access: Access) -> int:
    count = len(access.bank.problems())
    if count:
        files = "1 file of the bank has" if count == 1 else f"{count} files of the bank have"
        note(f"{files} a problem; `sergei memory lint` names {'it' if count == 1 else 'them'}.")
    return 0
