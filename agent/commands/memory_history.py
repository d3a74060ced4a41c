"""`sergei memory log, diff, restore`: who changed what, what it did, and the way back."""

from __future__ import annotations

import argparse
import json
from typing import Final

from agent.commands.memory_access import Access, note, opened, tell
from agent.terminal.safe import harmless
from memory import history
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
                entry = history.restore(access.own, args.change)
                tell(f"Restored: {tail(entry.id)}  {entry.title}")
                return 0


def _log(access: Access, entry_id: str | None, limit: int, *, as_json: bool) -> int:
    if limit < 1:
        raise InvalidInput("--limit must be at least 1.")
    if entry_id is not None:
        entry_id = _own_id(access, entry_id)
        if entry_id is None:
            note("This entry ships with Sergei and was never changed here.")
            return 0
    found = history.log(access.own, entry_id, limit)
    if as_json:
        print(json.dumps([_document(one) for one in found], indent=2, ensure_ascii=False))
        return 0
    for one in found:
        access.say(_lines(one), _INDENT)
    if not found:
        note("No change is recorded yet.")
    return 0


def _own_id(access: Access, entry_id: str) -> str | None:
    """The id as the bank's history knows it; None for an entry of a bank below that was never touched."""
    from memory.errors import UnknownEntry

    try:
        return access.own.get(entry_id).id
    except UnknownEntry:
        below = [entry for entry in access.bank.entries() if entry_id.upper() in (entry.id, entry.id[-8:])]
        return None if below else entry_id


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
    text = history.diff(access.own, change_id)
    colours = {"+": "32", "-": "31", "@": "36"}
    for line in harmless(text).splitlines():
        is_head = line.startswith(("+++", "---"))
        code = "1" if is_head else colours.get(line[:1], "")
        print(access.paper.paint(line, code) if code else line)
    if not text:
        note("Nothing differs.")
    return 0
