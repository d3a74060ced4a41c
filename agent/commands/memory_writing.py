"""`sergei memory add, supersede`: a new entry, from flags, from a file or in the editor.

What the bank already says on the matter is shown before anything is saved.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from agent.commands import memory_template as template
from agent.commands.memory_access import Access, add_bank, ask, by_hand, note, opened, somebody_there, tell
from agent.commands.memory_editor import Declined, edited, from_file, settled
from memory import CATEGORIES, CONFIDENCES, RESULTS, Draft, Saved
from memory.ulid import tail
from tools.errors import InvalidInput
from tools.recall.alike import look

_FIELDS: Final = ("title", "category", "context", "action", "result", "why", "outcome", "confidence", "ref")
_EXAMPLES: Final = {
    "add": """\
  sergei memory add                                    in your editor
  sergei memory add --title "Timeline: index (profile_id, occurred_at)" --category database-optimizations \\
      --action "CREATE INDEX CONCURRENTLY ..." --result "p95 fell from 820 ms to 14 ms" --table care_notes
  sergei memory add --from lesson.md                   a text such as the editor shows (- is stdin)

The same lesson again becomes one more outcome of the entry that already says it.""",
    "supersede": """\
  sergei memory supersede 7347kndk                     in your editor, starting from the old entry
  sergei memory supersede 7347kndk --title ... --action ... --result ...""",
}


def add(parser: argparse.ArgumentParser, action: str) -> None:
    """The arguments of one action."""
    parser.epilog = f"examples:\n{_EXAMPLES[action]}"
    if action == "supersede":
        parser.add_argument("id", metavar="ID", help="the entry that no longer holds")
    parser.add_argument("--title", help="the lesson in one line")
    parser.add_argument("--category", choices=CATEGORIES, metavar="CATEGORY", help=", ".join(CATEGORIES))
    parser.add_argument("--context", metavar="TEXT", help="the situation: what was seen, where")
    parser.add_argument("--action", metavar="TEXT", dest="what", help="what was done, exactly")
    parser.add_argument("--result", metavar="TEXT", help="what came of it, as measured")
    parser.add_argument("--why", metavar="TEXT", help="why it worked or failed")
    parser.add_argument("--outcome", choices=RESULTS, help="the result in one word (default: worked)")
    parser.add_argument("--confidence", choices=CONFIDENCES, help="how sure you are (default: medium)")
    parser.add_argument("--ref", metavar="REF", help="where to look: a deploy, a ticket, a pull request")
    parser.add_argument("--valid-until", type=_day, metavar="DAY", help="when it stops being true")
    for flag, what in (("--tag", "a word to find it by"), ("--table", "a table"), ("--service", "a service")):
        parser.add_argument(
            flag, action="append", default=[], metavar="NAME", help=f"{what} (again for more)"
        )
    parser.add_argument("--from", dest="file", metavar="FILE", help="the whole text, instead of flags")
    add_bank(parser, copies=action == "supersede")
    parser.add_argument("--yes", action="store_true", help="do not ask, whatever the bank says already")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a day such as 2030-12-31") from None


def run(args: argparse.Namespace) -> int:
    """Save the entry; 0 also when the person decides against it."""
    with opened() as bank:
        access = bank.writing(args.bank)
        old = access.bank.get(args.id).id if args.action == "supersede" else None
        given = _given(args)
        saving = _saving(access, old, ask_first=not args.yes)
        if args.file and given:
            raise InvalidInput("--from brings the whole text.", hint="Leave out the other flags.")
        try:
            if args.file:
                saved = saving(template.read(from_file(args.file)))
                settled(access, args.file)
            elif _complete(given, old):
                saved = saving(_draft(access, given, old))
            else:
                saved = _in_editor(access, given, old, saving)
        except Declined:
            note("Not saved.")
            saved = None
        if saved is not None:
            _told(saved)
    return 0


def supersede(access: Access, entry_id: str) -> bool:
    """Let the person write what replaces the entry, in the editor. Whether it was replaced."""
    old = access.bank.get(entry_id).id
    saved = _in_editor(access, {}, old, _saving(access, old, ask_first=True))
    if saved is not None:
        _told(saved)
    return saved is not None


def _told(saved: Saved) -> None:
    tell(f"{saved.message} {tail(saved.entry.id)}  {saved.entry.title}")
    note(str(saved.path))


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """The fields that flags named."""
    words = vars(args) | {"action": args.what}
    given = {name: words[name] for name in _FIELDS if words[name] is not None}
    scopes = {name: words[name] for name in ("service", "table") if words[name]}
    if scopes:
        given["applies_to"] = scopes
    if args.tag:
        given["tags"] = tuple(args.tag)
    if args.valid_until:
        given["valid_until"] = args.valid_until
    return given


def _complete(given: dict[str, Any], old: str | None) -> bool:
    """Whether flags said all that an entry needs; without any terminal a half-said entry is a mistake."""
    needed = ("title", "action", "result") if old else ("title", "category", "action", "result")
    missing = [name for name in needed if name not in given]
    if missing and given and not somebody_there():
        flags = ", ".join(f"--{name}" for name in missing)
        raise InvalidInput(f"An entry also needs {flags}.", hint="Or give the whole text with --from FILE.")
    return not missing


def _draft(access: Access, given: dict[str, Any], old: str | None) -> Draft:
    """What flags said, on top of where the old entry stood."""
    start: dict[str, Any] = {"title": "", "category": template.EMPTY.category, "action": "", "result": ""}
    if old:
        entry = access.bank.get(old)
        start |= {"title": entry.title, "category": entry.category, "tags": entry.tags}
        start |= {"applies_to": entry.applies_to, "confidence": entry.confidence, "context": entry.context}
    return Draft(**(start | given))


def _saving(access: Access, old: str | None, *, ask_first: bool) -> Callable[[Draft], Saved]:
    def save(draft: Draft) -> Saved:
        if old is not None:
            return access.bank.supersede(old, draft, source=by_hand(), now=access.now)
        known = look(access.bank, draft, by_hand(), access.now)
        if known.touches or known.consequence:
            note("The memory bank already has:")
            for line in known.touches:
                note(f"  {line}")
            if known.consequence:
                note(f"  {known.consequence}")
            if ask_first and somebody_there() and ask("Save it?", ("yes", "no"), "yes") == "no":
                raise Declined
        return access.bank.add(draft, source=by_hand(), now=access.now)

    return save


def _in_editor(
    access: Access, given: dict[str, Any], old: str | None, saving: Callable[[Draft], Saved]
) -> Saved | None:
    start = template.written(_draft(access, given, old), access.bank.get(old) if old else None)
    name = f"supersede-{tail(old)}" if old else "new-entry"
    return edited(access, name, start, lambda text: saving(template.read(text)))
