"""The memory bank as one Markdown document, for a wiki or a merge request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from agent.reports.memory_text import successors_of
from memory import CATEGORIES, Entry, as_markdown
from memory.ulid import tail

_FENCE: Final = re.compile(r" {0,3}(```+|~~~+)")
_HEADING: Final = re.compile(r"#{1,4}(?= )")


def document(entries: Sequence[Entry], now: datetime) -> str:
    """Categories as chapters, entries below them."""
    successors = successors_of(entries)
    lines = ["# Memory bank", "", f"{len(entries)} entries, {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC."]
    for category in CATEGORIES:
        found = sorted((one for one in entries if one.category == category), key=lambda one: one.title)
        if found:
            lines += ["", f"## {category}"]
        for entry in found:
            head, _, rest = _deeper(as_markdown(entry)).partition("\n")
            forward = successors.get(entry.id)
            lines += ["", head, *(["", f"Superseded by {tail(forward)}."] if forward else []), rest.rstrip()]
    return "\n".join(lines) + "\n"


def _deeper(markdown: str) -> str:
    """Every heading two levels down, code left alone."""
    fence = ""
    lines: list[str] = []
    for line in markdown.split("\n"):
        if mark := _FENCE.match(line):
            if not fence:
                fence = mark[1]
            elif line.strip() == line.strip()[0] * len(line.strip()) and line.strip().startswith(fence):
                fence = ""
        elif not fence and _HEADING.match(line):
            line = f"##{line}"
        lines.append(line)
    return "\n".join(lines)
