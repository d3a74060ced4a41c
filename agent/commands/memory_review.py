"""`sergei memory review`: the entries that need a decision, one by one; a list where nobody can be asked."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from agent.commands import memory_editing, memory_writing
from agent.commands.memory_access import Access, answer, note, opened, somebody_there, tell
from agent.commands.memory_marking import retire
from agent.reports.memory_text import history
from memory import as_markdown
from memory.reviewing import KINDS, Concern, concerns, next_valid_until
from memory.ulid import tail
from tools.errors import SergeiError
from tools.recall.translate import translated

_EPILOG: Final = """\
An entry of your own comes up when it is past its day (expired), when it failed at least twice and as often
as it worked (failing), when it or another entry says the opposite (contradicting), when nothing has
confirmed it for a year (unconfirmed), or when nobody recalled it for three months (unused).

Where nobody can be asked, the list is printed and the exit code is 1 if there is anything on it:
  sergei memory review --list || mail ...      in a scheduled run"""
_KEYS: Final = {
    "k": "keep",
    "e": "edit",
    "r": "retire",
    "u": "supersede",
    "v": "view",
    "s": "skip",
    "q": "quit",
}
_PROMPT: Final = "(k)eep (e)dit (r)etire s(u)persede (v)iew (s)kip (q)uit [s]:"
_DONE: Final = {"keep": "kept", "edit": "edited", "retire": "retired", "supersede": "superseded"}


def add(parser: argparse.ArgumentParser, action: str) -> None:
    """The arguments of the action."""
    parser.epilog = _EPILOG
    parser.add_argument("--list", action="store_true", help="only list them, also on a terminal")
    parser.add_argument("--only", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--json", action="store_true", help="list them for a program")


def run(args: argparse.Namespace) -> int:
    """Walk through them, or list them and end with 1 if there are any."""
    with opened() as access:
        if not (args.json or args.list) and somebody_there():
            _walk(access, args.only)
            return 0
        found = _concerns(access, args.only)
        if args.json:
            print(json.dumps([_document(one) for one in found], indent=2, ensure_ascii=False))
        else:
            _list(access, found)
        return 1 if found else 0


def _concerns(access: Access, only: str | None) -> list[Concern]:
    """About the person's own entries; what ships with Sergei is compared, but is not theirs to mend."""
    homes = access.homes()
    found = concerns(access.bank.entries(), access.recalls(), access.now)
    return [one for one in found if one.entry.id in homes and only in (None, one.kind)]


def _list(access: Access, found: Sequence[Concern]) -> None:
    kind = ""
    for one in found:
        if one.kind != kind:
            kind = one.kind
            access.say([kind])
        access.say([f"  {tail(one.entry.id)}  {one.entry.title}", f"{' ' * 12}{one.reason}"])
    if not found:
        print("No entry needs a decision.")


def _document(concern: Concern) -> dict[str, str | None]:
    return {
        "kind": concern.kind,
        "id": concern.entry.id,
        "title": concern.entry.title,
        "reason": concern.reason,
        "other": concern.other.id if concern.other else None,
    }


def _walk(access: Access, only: str | None) -> None:
    """One concern after the other. What was done about one may settle another, so they are looked up anew."""
    done: Counter[str] = Counter()
    seen: set[str] = set()
    while left := [one for one in _concerns(access, only) if one.entry.id not in seen]:
        concern = left[0]
        access.say([f"{len(seen) + 1} of {len(seen) + len(left)}  {concern.kind}"], 2)
        access.say([f"  {tail(concern.entry.id)}  {concern.entry.title}"])
        access.say([f"{' ' * 12}{concern.reason}", f"{' ' * 12}{history(concern.entry)}"])
        # An entry is decided on where it lies, not on a copy that would leave the old one as it is.
        choice = _decided(access.writing(access.bank.place_of(concern.entry.id)), concern)
        if choice == "quit":
            break
        seen.add(concern.entry.id)
        done[_DONE.get(choice, "skipped")] += 1
        print()
    skipped = len(left) + done.pop("skipped", 0)
    said = [f"{count} {word}" for word, count in done.items()]
    if skipped:
        said.append(f"{skipped} left for another time")
    print(f"{', '.join(said)}." if said else "No entry needs a decision.")


def _decided(access: Access, concern: Concern) -> str:
    """What was done in the end, in a word of _KEYS. After a mistake the question is asked again."""
    deeds: dict[str, Callable[[Access, Concern], bool]] = {
        "keep": _keep,
        "edit": lambda access, concern: memory_editing.edit(access, concern.entry.id),
        "retire": _retire,
        "supersede": lambda access, concern: memory_writing.supersede(access, concern.entry.id),
    }
    while True:
        said = answer(_PROMPT).casefold() or "skip"
        choice = _KEYS.get(said, said if said in _KEYS.values() else "")
        if choice in ("skip", "quit"):
            return choice
        if choice == "view":
            for entry in filter(None, (concern.entry, concern.other)):
                access.page(as_markdown(entry))
        elif choice:
            try:
                with translated():
                    if deeds[choice](access, concern):
                        return choice
            except SergeiError as error:
                note(str(error))


def _keep(access: Access, concern: Concern) -> bool:
    today = access.now.date()
    until = concern.entry.valid_until
    if concern.kind == "expired":
        proposed = next_valid_until(today)
        said = answer(f"Valid until which day? [{proposed.isoformat()}; none for no end]:")
        until = None if said.casefold() == "none" else _day(said) if said else proposed
        if said and said.casefold() != "none" and until is None:
            note("A day is written such as 2030-12-31.")
            return False
    access.bank.confirm(concern.entry.id, today, valid_until=until)
    print("Kept: confirmed today.")
    return True


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _retire(access: Access, concern: Concern) -> bool:
    reason = answer("Why does it no longer help?")
    if not reason:
        return False
    tell(retire(access.bank, concern.entry, reason))
    return True
