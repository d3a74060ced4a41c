"""The memory bank: what worked, what failed, where it applies and since when it no longer holds.

    Draft ──to_entry──> Entry ──says it already?──yes──> outcome on that entry
                          │                                    │
                          no                                   │
                          ▼                                    ▼
        lock, re-read, edit, check ──> BANK/.history/   journal: who, when, how, the texts before and after
                                  └──> BANK/category/slug--tail.md   fsync, exchange, look at what was there
                                       (the files are the truth; people edit them)
                                   BANK/.index.sqlite   a cache, brought up to date before each search and
                                       each write: FTS5, where an id lies, what says the same
                          │
    query ──terms──> Index.search ──> files read again ──> rank ──> Recalled (why, warning, superseded_by)

    Banks    the workspace's bank (written) above the team's and the user's (written when named) and the
             starter bank that ships with the product (read-only)
    history  log, diff, restore: from the journal, and from git where the files are committed

Names are loaded when they are first used: `import memory` alone costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memory.bank import Bank, Problem, Refuse, Saved
    from memory.banks import Banks, starter_bank
    from memory.briefing import Brief, PastFailure
    from memory.draft import Draft
    from memory.entry import (
        CATEGORIES,
        CONFIDENCES,
        RESULTS,
        AppliesTo,
        Category,
        Confidence,
        Entry,
        Outcome,
        Result,
        Source,
        parse_entry,
        render_entry,
    )
    from memory.errors import (
        BankConflict,
        BankUnavailable,
        InvalidEntry,
        MemoryBankError,
        RefusedEntry,
        UnknownEntry,
    )
    from memory.ranking import Recalled
    from memory.showing import as_markdown, recalled_as_markdown

_HOMES = {
    "bank": ("Bank", "Problem", "Refuse", "Saved"),
    "banks": ("Banks", "starter_bank"),
    "briefing": ("Brief", "PastFailure"),
    "draft": ("Draft",),
    "entry": (
        "CATEGORIES", "CONFIDENCES", "RESULTS", "AppliesTo", "Category", "Confidence", "Entry", "Outcome",
        "Result", "Source", "parse_entry", "render_entry",
    ),
    "errors": (
        "BankConflict", "BankUnavailable", "InvalidEntry", "MemoryBankError", "RefusedEntry", "UnknownEntry",
    ),
    "ranking": ("Recalled",),
    "showing": ("as_markdown", "recalled_as_markdown"),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "CATEGORIES",
    "CONFIDENCES",
    "RESULTS",
    "AppliesTo",
    "Bank",
    "BankConflict",
    "BankUnavailable",
    "Banks",
    "Brief",
    "Category",
    "Confidence",
    "Draft",
    "Entry",
    "InvalidEntry",
    "MemoryBankError",
    "Outcome",
    "PastFailure",
    "Problem",
    "Recalled",
    "Refuse",
    "RefusedEntry",
    "Result",
    "Saved",
    "Source",
    "UnknownEntry",
    "as_markdown",
    "parse_entry",
    "recalled_as_markdown",
    "render_entry",
    "starter_bank",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'memory' has no attribute '{name}'")
    return getattr(importlib.import_module(f"memory.{home}"), name)
