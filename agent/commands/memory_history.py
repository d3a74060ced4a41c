"""`sergei memory log, diff, restore`: who changed what, what it did, and the way back."""

from __future__ import annotations

import argparse
import json
from typing import Final

from agent.commands.memory_access import Access, note, opened, tell
from agent.terminal.safe import harmless
from memory import Bank, history
from memory.errors import UnknownEntry
from memory.history import Change
from memory.ulid import tail
from tools.errors import InvalidInput

_ABOUT: Final = {
    "log": """\
examples:
  sergei memory log                    the latest changes of the bank, newest first
  sergei memory log 7347kndk           of one entry
  sergei memory diff 7347kndk.2        what one of them did
  sergei memory restore 7347kndk.1     the entry as it was after that one""",
    "diff": "The id of a change is what `sergei memory log` lists in front of it.",
    "restore": """\
The entry gets the text that it had after the change; of a removal, the text that was removed. That is a
change of its own, so it can be taken back in the same way. `sergei memory log` lists the changes.""",
}
_INDENT: Final = 2


def add(parser: argparse.ArgumentParser, action: str) -> None:
    """The arguments of one action."""
    parser.epilog = _ABOUT[action]
    if action == "log":
        parser.add_argument("id", nargs="?", metavar="ID", help="an entry (default: all)")
        parser.add_argument(
            "--limit", type=int, default=20, metavar="N", help="changes to list (default: 20)"
        )
        parser.add_argument("--json", action="store_true", help="for a program")
    else:
        parser.add_argument("change", metavar="CHANGE", help="a change, as `sergei memory log` names it")


def run(args: argparse.Namespace) -> int:
    """Print the changes, the difference, or what was restored."""
    with opened() as access:
        match args.action:
            case "log":
                return _log(access, args.id, args.limit, as_json=args.json)
            case "diff":
                return _diff(access, args.change)
            case _:
                entry = history.restore(_of_change(access, args.change), args.change)
                tell(f"Restored: {tail(entry.id)}  {entry.title}")
                return 0


def _log(access: Access, entry_id: str | None, limit: int, *, as_json: bool) -> int:
    if limit < 1:
        raise InvalidInput("--limit must be at least 1.")
    if entry_id is None:
        changes = [one for bank in access.bank.places.values() for one in history.log(bank, None, limit)]
        found = sorted(changes, key=lambda one: one.when, reverse=True)[:limit]
    elif home := _home(access, entry_id):
        found = history.log(home, entry_id, limit)
    else:
        note("This entry ships with Sergei and was never changed here.")
        return 0
    if as_json:
        print(json.dumps([_document(one) for one in found], indent=2, ensure_ascii=False))
        return 0
    for one in found:
        access.say(_lines(one), _INDENT)
    if not found:
        note("No change is recorded yet.")
    return 0


def _home(access: Access, entry_id: str) -> Bank | None:
    """The bank whose history knows the entry; None for one that ships with Sergei and was never touched."""
    banks = access.bank.places
    for bank in banks.values():
        try:
            if history.log(bank, entry_id, 1):
                return bank
        except UnknownEntry:
            continue
    name = access.bank.place_of(entry_id)
    return banks.get(name)


def _of_change(access: Access, change_id: str) -> Bank:
    """The bank that the change was made in; the workspace's where none knows it, to say so."""
    entry_id = change_id.partition("@")[0].partition(".")[0]
    workspace = next(iter(access.bank.places.values()))
    try:
        return _home(access, entry_id) or workspace
    except UnknownEntry:
        return workspace


def _lines(change: Change) -> list[str]:
    local = change.when.astimezone()
    return [
        f"{change.id}  {local:%Y-%m-%d %H:%M}  {change.how} by {change.who}",
        f"  {change.title}",
        f"  {change.summary}",
    ]


def _document(change: Change) -> dict[str, str]:
    return {
        "id": change.id,
        "when": change.when.isoformat(),
        "who": change.who,
        "how": change.how,
        "entry": change.entry_id,
        "title": change.title,
        "summary": change.summary,
    }


def _diff(access: Access, change_id: str) -> int:
    text = history.diff(_of_change(access, change_id), change_id)
    colours = {"+": "32", "-": "31", "@": "36"}
    for line in harmless(text).splitlines():
        is_head = line.startswith(("+++", "---"))
        code = "1" if is_head else colours.get(line[:1], "")
        print(access.paper.paint(line, code) if code else line)
    if not text:
        note("Nothing differs.")
    return 0
