"""`sergei memory edit`: an entry's file in the person's editor, put back only if it still is an entry."""

from __future__ import annotations

import argparse

from agent.commands.memory_access import Access, add_bank, note, opened, tell
from agent.commands.memory_editor import edited, from_file, settled
from memory import Banks, Entry, parse_entry
from memory.errors import InvalidEntry
from memory.ulid import tail

_EPILOG = """\
examples:
  sergei memory edit 7347kndk                 in $VISUAL or $EDITOR
  sergei memory edit 7347kndk --from FILE     put this text in its place (- for standard input)

The text is checked before it is saved, and the editor opens again on a mistake. What somebody else changed
meanwhile is merged. A text that cannot be saved is kept, and the message names its file."""


def add(parser: argparse.ArgumentParser, action: str) -> None:
    """The arguments of the action."""
    parser.epilog = _EPILOG
    parser.add_argument("id", metavar="ID", help="the entry")
    parser.add_argument("--from", dest="file", metavar="FILE", help="take the text from a file, no editor")
    add_bank(parser)


def run(args: argparse.Namespace) -> int:
    """Save the changed text; exit code 2 for a text that is no entry, 3 when somebody else changed it."""
    with opened() as access:
        edit(access.writing(args.bank), args.id, args.file)
    return 0


def edit(access: Access, entry_id: str, file: str | None = None) -> bool:
    """Let the person change the entry, and say what came of it. Whether it was changed."""
    before = access.bank.get(entry_id)
    path, text = access.bank.source(before.id)
    if file:
        entry = _put(access.bank, before, text, from_file(file))
        settled(access, file)
    else:
        entry = edited(
            access, tail(before.id), text, lambda changed: _put(access.bank, before, text, changed)
        )
    if entry is None:
        return False
    tell(f"Saved: {tail(entry.id)}  {entry.title}")
    if (kept := access.bank.source(entry.id)[0]) != path:
        note(f"Kept as a copy in your own bank: {kept}")
    return True


def _put(bank: Banks, before: Entry, seen: str, changed: str) -> Entry:
    """Save the person's text in place of the one they saw. InvalidEntry says what is wrong with it."""
    entry = parse_entry(changed)
    if entry.id != before.id:
        raise InvalidEntry(f"The id must stay {before.id}: outcomes and other entries refer to it.")
    if not entry.action:
        raise InvalidEntry("The section Action is gone: say what was done.")
    return bank.save_edit(before.id, read=seen, text=changed)
