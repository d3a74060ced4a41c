"""/memory and /review: what `sergei memory` and `sergei review` show, inside a conversation."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.commands import review as reviewing
from agent.reports.text import Paper, text
from agent.terminal.conversation import Conversation
from agent.terminal.safe import harmless
from memory import Banks
from tools.errors import ConfigurationError
from tools.recall.translate import translated


async def memory(talk: Conversation, rest: str) -> None:
    """Titles by category; with words, the entries that help there and why."""
    bank = talk.house.bank
    if bank is None:
        raise ConfigurationError("The memory bank is switched off.", hint="Set [agent] memory = true.")
    with translated():
        lines = _search(bank, rest) if rest else _titles(bank)
    talk.screen.hanging(lines, 12)


def _titles(bank: Banks) -> list[str]:
    lines: list[str] = []
    category = ""
    for entry in sorted(bank.entries(), key=lambda entry: (entry.category, entry.title)):
        if entry.category != category:
            category = entry.category
            lines.append(category)
        mark = "" if entry.status == "active" else f" [{entry.status}]"
        lines.append(f"  {entry.id[-8:].lower()}  {entry.title}{mark}")
    return lines or ["  The memory bank is empty."]


def _search(bank: Banks, words: str) -> list[str]:
    lines: list[str] = []
    for found in bank.recall(words, now=datetime.now(UTC), limit=10):
        lines.append(f"  {found.entry.id[-8:].lower()}  {found.entry.title}")
        lines.append(f"            {'; '.join(found.why)}")
        if found.warning:
            lines.append(f"            beware: {found.warning}")
    return lines or ["  The memory bank has nothing on this."]


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
