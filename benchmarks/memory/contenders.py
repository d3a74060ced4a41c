"""Ways to search the same texts: the memory bank, and what one would reach for instead."""

from __future__ import annotations

import importlib.util
import re
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from memory import Bank, Banks, Entry, render_entry
from memory.files import file_name
from memory.tokens import STOP_WORDS

NOW = datetime(2026, 11, 26, tzinfo=UTC)
Search = Callable[[str, Mapping[str, Sequence[str]]], list[str]]
"""Ids for a question in a target scope, the best five first."""

BEST = 5


def memory_bank(entries: Sequence[Entry], folder: Path) -> tuple[Banks, Search]:
    """The product: files, index and ranking."""
    for entry in entries:
        path = folder / file_name(entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render_entry(entry), encoding="utf-8")
    banks = Banks(Bank(folder))

    def search(question: str, applies_to: Mapping[str, Sequence[str]]) -> list[str]:
        found = banks.recall(question, now=NOW, applies_to=applies_to, limit=BEST)
        return [one.entry.id for one in found]

    return banks, search


def fts5(texts: Mapping[str, str], *, porter: bool, any_word: bool) -> Search:
    """SQLite FTS5 alone: with its defaults (every word must match), or porter and OR with stop words."""
    connection = sqlite3.connect(":memory:")
    tokenizer = ', tokenize = "porter unicode61"' if porter else ""
    connection.execute(f"CREATE VIRTUAL TABLE texts USING fts5(id UNINDEXED, text{tokenizer})")
    connection.executemany("INSERT INTO texts VALUES (?, ?)", texts.items())

    def search(question: str, _: Mapping[str, Sequence[str]]) -> list[str]:
        words = re.findall(r"\w+", question.lower())
        if any_word:
            words = [word for word in words if word not in STOP_WORDS]
        match = (" OR " if any_word else " ").join(f'"{word}"' for word in words)
        sql = "SELECT id FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT ?"
        return [row[0] for row in connection.execute(sql, (match, BEST))] if match else []

    return search


def bm25s(texts: Mapping[str, str]) -> Search | None:
    """bm25s with its English stop words, or None where it is not installed."""
    if importlib.util.find_spec("bm25s") is None:
        return None
    module: Any = importlib.import_module("bm25s")
    ids = list(texts)
    retriever = module.BM25()
    retriever.index(
        module.tokenize(list(texts.values()), stopwords="en", show_progress=False), show_progress=False
    )

    def search(question: str, _: Mapping[str, Sequence[str]]) -> list[str]:
        asked = module.tokenize([question], stopwords="en", show_progress=False)
        rows, _scores = retriever.retrieve(asked, k=min(BEST, len(ids)), show_progress=False)
        return [ids[row] for row in rows[0]]

    return search


def alone(texts: Mapping[str, str]) -> dict[str, Search | None]:
    """Every contender but the memory bank."""
    return {
        "FTS5, defaults (AND)": fts5(texts, porter=False, any_word=False),
        "FTS5, porter, OR": fts5(texts, porter=True, any_word=True),
        "bm25s": bm25s(texts),
    }


def new_folder() -> tempfile.TemporaryDirectory[str]:
    """Where a bank lives for the time of a run."""
    return tempfile.TemporaryDirectory(prefix="bench-memory-")
