"""/memory and /review: what `sergei memory` and `sergei review` show, inside a conversation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from agent.commands import memory_marking as marking
from agent.commands import review as reviewing
from agent.commands.memory_access import bank_of
from agent.reports.memory_text import INDENT, hits, successors_of, titles
from agent.reports.text import Paper, text
from agent.terminal.conversation import Conversation
from agent.terminal.safe import harmless
from memory import Banks, as_markdown, usage
from memory.ulid import tail
from tools.errors import InvalidInput
from tools.recall.translate import translated

ACTIONS = {
    "list": "the entries by category",
    "search": "WORDS: what helps with them; WORDS alone do the same",
    "show": "ID: an entry whole",
    "outcome": "ID worked|failed|partly [NOTE]: what came of it this time",
    "retire": "ID REASON: take it out of recall",
}
"""What /memory understands, and what follows each word."""


async def memory(talk: Conversation, rest: str) -> None:
    """Titles by category; an action of ACTIONS; any other words search."""
    bank = bank_of(talk.house.bank)
    action, _, words = rest.partition(" ")
    deeds: dict[str, Callable[[Conversation, Banks, str], None]] = {
        "": _list, "list": _list, "search": _search, "show": _show, "outcome": _outcome, "retire": _retire,
    }  # fmt: skip
    with translated():
        if action in deeds:
            deeds[action](talk, bank, words.strip())
        else:
            _search(talk, bank, rest)


def _list(talk: Conversation, bank: Banks, words: str) -> None:
    entries = bank.entries()
    lines = titles(entries, successors_of(entries), _now().date())
    talk.screen.hanging(lines or ["  The memory bank is empty."], INDENT)


def _search(talk: Conversation, bank: Banks, words: str) -> None:
    if not words:
        raise InvalidInput("Search for what?", hint="/memory search WORDS")
    found = bank.recall(words, now=_now(), limit=10)
    ids = [one.entry.id for one in found]
    usage.note(talk.settings.recalls_file, talk.settings.bank_folder, ids, now=_now())
    talk.screen.hanging(hits(found) or ["  The memory bank has nothing on this."], INDENT)


def _show(talk: Conversation, bank: Banks, words: str) -> None:
    if not words:
        raise InvalidInput("Show which entry?", hint="/memory show ID; /memory lists the ids.")
    entry = bank.get(words)
    talk.screen.block(as_markdown(entry))
    if successor := successors_of(bank.entries()).get(entry.id):
        talk.screen.note(f"Superseded: read {tail(successor)} instead.")


def _outcome(talk: Conversation, bank: Banks, words: str) -> None:
    entry_id, _, rest = words.partition(" ")
    said, _, note = rest.strip().partition(" ")
    if not said:
        raise InvalidInput("What came of which entry?", hint=f"/memory outcome {ACTIONS['outcome']}")
    told = marking.record(bank, bank.get(entry_id), said, now=_now(), ref=_ref(talk), note=note.strip())
    talk.screen.line(told)


def _retire(talk: Conversation, bank: Banks, words: str) -> None:
    entry_id, _, reason = words.partition(" ")
    if not entry_id:
        raise InvalidInput("Retire which entry?", hint="/memory retire ID REASON")
    talk.screen.line(marking.retire(bank, bank.get(entry_id), reason.strip()))


def _ref(talk: Conversation) -> str:
    return f"session {talk.session.meta.id}"


def _now() -> datetime:
    return datetime.now(UTC)


async def review(talk: Conversation, rest: str) -> None:
    """The whole report. What Sergei reviews himself is a call of his own."""
    screen = talk.screen
    domains = reviewing.domains_of(rest.split())

    async def work() -> None:
        async with screen.busy("reviewing"):
            found = await reviewing.review(talk.house, domains, only=[], skip=[], schemas=[])
        report = text(found, Paper(screen.width, False))
        screen.gap()
        screen.raw(harmless(report))

    if not await talk.interrupts.run(work()):
        screen.note("Stopped.")
