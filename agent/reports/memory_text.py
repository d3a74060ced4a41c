"""Entries of the memory bank as lines of text: the same in the terminal, in a pipe and in a conversation."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from agent.reports.text import Paper
from memory import RESULTS, Entry, Recalled
from memory.ulid import tail

INDENT = 12
"""Where the text of a line begins, behind the entry's short id."""


def titles(entries: Iterable[Entry], successors: Mapping[str, str], today: date) -> list[str]:
    """A line for each entry under its category; what is not simply valid is said in brackets."""
    lines: list[str] = []
    category = ""
    for entry in sorted(entries, key=lambda one: (one.category, one.title.casefold(), one.id)):
        if entry.category != category:
            category = entry.category
            lines.append(category)
        lines.append(f"  {tail(entry.id)}  {entry.title}{marks(entry, successors, today)}")
    return lines


def marks(entry: Entry, successors: Mapping[str, str], today: date) -> str:
    """What to know about an entry before reading it, as ` [...]`; empty when there is nothing."""
    said: list[str] = []
    if successor := successors.get(entry.id):
        said.append(f"superseded by {tail(successor)}")
    elif entry.status != "active":
        said.append(entry.status)
    if entry.valid_until and entry.valid_until < today:
        said.append(f"expired {entry.valid_until.isoformat()}")
    if failed := entry.count("failed"):
        said.append(f"failed {failed} of {len(entry.outcomes)}")
    return f" [{', '.join(said)}]" if said else ""


def successors_of(entries: Iterable[Entry]) -> dict[str, str]:
    """The id of each superseded entry with the id of the latest entry that replaced it."""
    by_age = sorted(entries, key=lambda one: one.id)
    return {old: entry.id for entry in by_age for old in entry.supersedes if old != entry.id}


def hits(found: Iterable[Recalled]) -> list[str]:
    """What a search found, best first: the title, why, and what to beware of."""
    lines: list[str] = []
    space = " " * INDENT
    for one in found:
        lines.append(f"  {tail(one.entry.id)}  {one.entry.title}")
        if one.why:
            lines.append(f"{space}{'; '.join(one.why)}")
        if one.warning:
            lines.append(f"{space}beware: {one.warning}")
        if one.superseded_by:
            lines.append(f"{space}read {tail(one.superseded_by)} instead, which replaced it")
    return lines


def history(entry: Entry) -> str:
    """`worked 2x, failed 1x`, or `no outcome yet`."""
    counts = [f"{word} {entry.count(word)}x" for word in RESULTS if entry.count(word)]
    return ", ".join(counts) or "no outcome yet"


def folded(lines: Iterable[str], paper: Paper, indent: int = INDENT) -> Iterator[str]:
    """Lines of a list folded under their own text, heads in bold."""
    for line in lines:
        head, rest = line[:indent], line[indent:]
        if not line.startswith(" "):
            yield paper.bold(line)
            continue
        first, *more = textwrap.wrap(rest, max(paper.width - indent, 20), break_on_hyphens=False) or [""]
        yield "\n".join([paper.dim(head) + first, *(" " * indent + part for part in more)])
