"""`sergei memory outcome, retire`: what came of an entry, and taking one out of recall."""

from __future__ import annotations

import argparse
from datetime import datetime

from agent.commands.memory_access import add_bank, answer, note, opened, somebody_there, tell
from agent.reports.memory_text import history
from memory import RESULTS, Banks, Entry
from memory.entry import Result
from memory.ulid import tail
from tools.errors import InvalidInput

_EXAMPLES = {
    "outcome": (
        '  sergei memory outcome 7347kndk worked --ref "deploy dep-d1a2" --note "plan cost fell to 40"\n'
        '  sergei memory outcome 7347kndk failed --note "the lock was waited for 40 s"'
    ),
    "retire": '  sergei memory retire 7347kndk --reason "PgBouncer is gone since June"',
}


def add(parser: argparse.ArgumentParser, action: str) -> None:
    """The arguments of one action."""
    parser.epilog = f"examples:\n{_EXAMPLES[action]}"
    parser.add_argument("id", metavar="ID", help="the entry")
    if action == "outcome":
        parser.add_argument("result", choices=RESULTS, metavar="RESULT", help=", ".join(RESULTS))
        parser.add_argument("--note", default="", metavar="TEXT", help="what was seen")
        parser.add_argument("--ref", default="", metavar="REF", help="where to look: a deploy, a ticket")
    else:
        parser.add_argument("--reason", default="", metavar="TEXT", help="why it no longer helps (required)")
    add_bank(parser)


def record(bank: Banks, entry: Entry, result: str, *, now: datetime, ref: str, note: str) -> str:
    """Append an outcome; how the entry stands now, in a sentence."""
    known: dict[str, Result] = {word: word for word in RESULTS}
    if result not in known:
        raise InvalidInput(f"The result is one of {', '.join(RESULTS)}; found '{result}'.")
    changed = bank.record_outcome(entry.id, known[result], now=now, ref=ref, note=note)
    said = f"Recorded: {tail(changed.id)}  {changed.title} ({history(changed)})."
    if changed.status != "active":
        said += f" Mind that this entry is {changed.status}."
    return said


def retire(bank: Banks, entry: Entry, reason: str) -> str:
    """Take an entry out of recall, and say so. Raises InvalidInput without a reason."""
    if not reason.strip():
        raise InvalidInput(
            "Retiring an entry needs a reason, so that nobody learns it again.", hint='--reason "..."'
        )
    if entry.status == "retired":
        raise InvalidInput(f"'{entry.title}' is retired already: {entry.retired_because}")
    changed = bank.retire(entry.id, reason)
    return f"Retired: {tail(changed.id)}  {changed.title}. It stays in its file; recall leaves it out."


def run(args: argparse.Namespace) -> int:
    """Record it, and say how the entry stands now."""
    with opened() as bank:
        access = bank.writing(args.bank)
        entry = access.bank.get(args.id)
        if args.action == "outcome":
            tell(record(access.bank, entry, args.result, now=access.now, ref=args.ref, note=args.note))
            return 0
        reason: str = args.reason
        if not reason.strip() and somebody_there():
            note(f"{tail(entry.id)}  {entry.title}")
            reason = answer("Why does it no longer help?")
        tell(retire(access.bank, entry, reason))
    return 0
