"""Entries as Markdown for a person or a model to read."""

from __future__ import annotations

from memory.entry import RESULTS, SECTIONS, Entry
from memory.ranking import Recalled

_LATEST = 5


def as_markdown(entry: Entry) -> str:
    """The whole entry: title, one line of facts, its sections, its latest outcomes."""
    lines = [f"# {entry.title}", "", _facts(entry), ""]
    if entry.retired_because:
        lines += [f"Retired: {entry.retired_because}", ""]
    if entry.preamble:
        lines += [entry.preamble, ""]
    for name in SECTIONS:
        if content := getattr(entry, name):
            lines += [f"## {name.capitalize()}", "", content, ""]
    if entry.outcomes:
        lines += [f"## Outcomes ({_counts(entry)})", ""]
        for outcome in sorted(entry.outcomes, key=lambda one: one.when, reverse=True)[:_LATEST]:
            note = f": {outcome.note}" if outcome.note else ""
            ref = f" ({outcome.ref})" if outcome.ref else ""
            lines.append(f"- {outcome.when.date().isoformat()} {outcome.result}{ref}{note}")
        lines.append("")
    return "\n".join(lines)


def recalled_as_markdown(recalled: Recalled) -> str:
    """`as_markdown` with why it was returned, its warning and its successor in front."""
    notes = [f"Why: {'; '.join(recalled.why)}"] if recalled.why else []
    if recalled.warning:
        notes.append(f"Warning: {recalled.warning}")
    if recalled.superseded_by:
        notes.append(f"Superseded by {recalled.superseded_by}: read that one instead.")
    head, _, rest = as_markdown(recalled.entry).partition("\n\n")
    return "\n\n".join([head, *notes, rest])


def _facts(entry: Entry) -> str:
    facts = [entry.id, entry.category, f"confidence {entry.confidence}"]
    if entry.status != "active":
        facts.append(entry.status)
    facts += [f"{scope}: {', '.join(names)}" for scope, names in entry.applies_to.items()]
    if entry.valid_until:
        facts.append(f"valid until {entry.valid_until.isoformat()}")
    if entry.confirmed:
        facts.append(f"confirmed {entry.confirmed.isoformat()}")
    if entry.tags:
        facts.append("tags: " + ", ".join(entry.tags))
    if entry.source:
        facts.append(f"source: {entry.source}")
    return " · ".join(facts)


def _counts(entry: Entry) -> str:
    return ", ".join(f"{entry.count(result)} {result}" for result in RESULTS if entry.count(result))
