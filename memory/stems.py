"""Words as the full-text index stems them, asked of the index's own tokenizer."""

from __future__ import annotations

import functools
import sqlite3
import threading
from collections.abc import Iterable

TOKENIZER = "porter unicode61 remove_diacritics 2 tokenchars '_'"
_MOST = 50_000
_alone = threading.Lock()
_known: dict[str, str] = {}


def stems(words: Iterable[str]) -> dict[str, str]:
    """Each of `words` (one token each) with its stem."""
    wanted = list(dict.fromkeys(words))
    with _alone:
        missing = [word for word in wanted if word not in _known]
        if len(_known) + len(missing) > _MOST:
            _known.clear()
            missing = wanted
        if missing:
            _known.update(_asked(missing))
        return {word: _known[word] for word in wanted}


def _asked(words: list[str]) -> dict[str, str]:
    connection = _tokenizer()
    connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
    connection.executemany("INSERT INTO words (rowid, word) VALUES (?, ?)", enumerate(words))
    found = dict.fromkeys(words, "")
    for row, term in connection.execute("SELECT doc, term FROM terms ORDER BY doc, offset DESC"):
        found[words[row]] = term
    return found


@functools.cache
def _tokenizer() -> sqlite3.Connection:
    """One for the process; `_alone` keeps threads apart."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute(
        f"CREATE VIRTUAL TABLE words USING fts5(word, content = '', tokenize = \"{TOKENIZER}\")"
    )
    connection.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(words, 'instance')")
    return connection
