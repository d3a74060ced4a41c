"""The memory bank as one HTML page with search in the page: it can be mailed, archived and printed.

Nothing is fetched, and nothing but the page's own style and script may run: the content security policy
names both by their digest. Entries are Markdown from files that people and a model wrote, so no HTML in them
counts as HTML. Without a script the page is the whole list.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from agent.reports.memory_text import history, successors_of
from memory import CATEGORIES, Entry
from memory.entry import SECTIONS, Outcome
from memory.ranking import warning
from memory.ulid import tail, ulid_time

_HERE: Final = Path(__file__).parent
_STYLE: Final = "".join(
    (_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "memory_page.css")
)
_SCRIPT: Final = (_HERE / "memory_page.js").read_text(encoding="utf-8")
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_STATES: Final = ("active", "superseded", "retired", "expired", "failed")


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What an article needs to know of the others."""

    entries: Mapping[str, Entry]
    successors: Mapping[str, str]
    today: date


def page(entries: Sequence[Entry], now: datetime, left_out: int = 0) -> str:
    """The page. `left_out` counts the files that have a problem and are not on it."""
    shelf = _Shelf({entry.id: entry for entry in entries}, successors_of(entries), now.date())
    sections = "".join(_section(category, entries, shelf) for category in CATEGORIES)
    missing = f" {left_out} with a problem left out." if left_out else ""
    policy = (
        f"default-src 'none'; style-src '{_digest(_STYLE)}'; script-src '{_digest(_SCRIPT)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Sergei: memory bank</title>
<style>{_STYLE}</style></head><body><main>
<h1>Memory bank</h1>
<p class="dim">{len(entries)} entries, {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC.{missing}</p>
{_find()}
{sections}
<p class="none dim" id="nothing" {"hidden" if entries else ""}>No entry fits.</p>
</main><script>{_SCRIPT}</script></body></html>
"""


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _find() -> str:
    return (
        '<div class="find" id="find" role="search" hidden>'
        '<input id="words" type="search" placeholder="Search ( / )" aria-label="Search" autocomplete="off">'
        f"{_select('category', 'Every category', CATEGORIES)}{_select('status', 'Every status', _STATES)}"
        '<output id="told" aria-live="polite"></output></div>'
    )


def _select(name: str, every: str, words: Iterable[str]) -> str:
    options = "".join(f"<option>{word}</option>" for word in words)
    return f'<select id="{name}" aria-label="{every}"><option value="">{every}</option>{options}</select>'


def _section(category: str, entries: Iterable[Entry], shelf: _Shelf) -> str:
    found = sorted(
        (entry for entry in entries if entry.category == category), key=lambda one: one.title.casefold()
    )
    if not found:
        return ""
    articles = "".join(_article(entry, shelf) for entry in found)
    return (
        f'<section data-category="{category}"><h2>{category} <span class="dim">{len(found)}</span></h2>'
        f"{articles}</section>"
    )


def _article(entry: Entry, shelf: _Shelf) -> str:
    states = _states(entry, shelf)
    badges = "".join(f'<span class="badge">{escape(word)}</span>' for word in states if word != "active")
    return (
        f'<article class="{_tone(states)}" id="{tail(entry.id)}" data-category="{entry.category}" '
        f'data-status="{" ".join(states)}"><h3>{escape(entry.title)}{badges}</h3>'
        f'<p class="facts">{_facts(entry)}</p>{_cautions(entry, shelf)}'
        f'<details><summary>{escape(_gist(entry))}</summary><div class="body">{_body(entry)}</div></details>'
        "</article>"
    )


def _states(entry: Entry, shelf: _Shelf) -> list[str]:
    states: list[str] = ["superseded" if entry.id in shelf.successors else entry.status]
    if entry.valid_until and entry.valid_until < shelf.today:
        states.append("expired")
    if entry.count("failed"):
        states.append("failed")
    return states


def _tone(states: Sequence[str]) -> str:
    if states[0] != "active":
        return "OPEN"
    return "ERROR" if "failed" in states else "WARN" if "expired" in states else "INFO"


def _facts(entry: Entry) -> str:
    facts = [f"<code>{tail(entry.id)}</code>", f"confidence {entry.confidence}", history(entry)]
    facts += [escape(f"{scope}: {', '.join(names)}") for scope, names in entry.applies_to.items()]
    if entry.valid_until:
        facts.append(_dated("valid until", entry.valid_until))
    facts.append(_dated("written", ulid_time(entry.id).date()))
    if entry.confirmed:
        facts.append(_dated("confirmed", entry.confirmed))
    return " · ".join(facts)


def _dated(what: str, day: date) -> str:
    return f'<span class="day">{what} {day.isoformat()}</span>'


def _cautions(entry: Entry, shelf: _Shelf) -> str:
    """What must be seen before opening the entry: what replaced it, how it failed, why it is retired."""
    said = ""
    if successor := shelf.successors.get(entry.id):
        said += f'<p class="forward">Superseded: read {_link(successor, shelf)} instead.</p>'
    if caution := warning(entry):
        said += f'<p class="beware"><b>Beware.</b> {escape(caution)}</p>'
    if entry.retired_because:
        said += f'<p class="forward">Retired: {escape(entry.retired_because)}</p>'
    return said


def _link(entry_id: str, shelf: _Shelf) -> str:
    entry = shelf.entries.get(entry_id)
    if entry is None:
        return f"<code>{escape(tail(entry_id))}</code>, which is not on this page,"
    return f'<a href="#{tail(entry.id)}">{escape(entry.title)}</a>'


def _gist(entry: Entry) -> str:
    """What the fold says: tags where there are some."""
    return ", ".join(entry.tags) or "Read"


def _body(entry: Entry) -> str:
    parts = [_MARKDOWN.render(entry.preamble)] if entry.preamble else []
    texts = [(name, str(getattr(entry, name))) for name in SECTIONS]
    parts += [f"<h4>{name}</h4>{_MARKDOWN.render(content)}" for name, content in texts if content]
    if entry.outcomes:
        latest = sorted(entry.outcomes, key=lambda one: one.when, reverse=True)
        parts.append(f"<h4>outcomes</h4><ul>{''.join(map(_outcome, latest))}</ul>")
    if entry.source:
        parts.append(f"<h4>source</h4><p>{escape(str(entry.source))}</p>")
    return "".join(parts)


def _outcome(outcome: Outcome) -> str:
    ref = f" ({escape(outcome.ref)})" if outcome.ref else ""
    note = f": {escape(outcome.note)}" if outcome.note else ""
    return f"<li>{outcome.when.date().isoformat()} <b>{outcome.result}</b>{ref}{note}</li>"
