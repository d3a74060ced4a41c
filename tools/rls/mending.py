"""Fixes that are worked out from what stands in the catalog, as SQL that runs.

Text is changed and not rebuilt from a tree: people get their own function back, with one thing different.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

import postgast
from postgast import PgQueryError

from tools.rls.objects import Function
from tools.rls.parsing import too_long

UID: Final = r"(?:auth\.uid\(\)|\( SELECT auth\.uid\(\)(?: AS \w+)?\))"
"""The caller's id as pg_get_expr prints it, plain or in a scalar subquery."""


def redefined(function: Function, change: Callable[[str], str]) -> str | None:
    """CREATE OR REPLACE of the function with its source changed, or None when the change finds nothing."""
    changed = change(function.body)
    if function.bound or not function.definition or changed == function.body:
        return None
    if function.definition.count(function.body) != 1:
        return None
    return function.definition.replace(function.body, changed).rstrip() + ";"


def trusted_metadata(text: str, keys: Iterable[str] = ()) -> str:
    """The text reading app_metadata in place of user_metadata: everywhere, or for these keys only."""
    several = "|".join(re.escape(key) for key in sorted(keys))
    only = rf"(?=\s*(?:->>?|#>>?)\s*'\{{?(?:{several})\}}?')" if several else ""
    text = re.sub(rf"raw_user_meta_data\b{only}", "raw_app_meta_data", text)
    return text if several else re.sub(r"\buser_metadata\b", "app_metadata", text)


def once(text: str, names: Iterable[str]) -> str:
    """The expression with each outermost call of `names` (`auth.uid`) wrapped as `( SELECT call)`.

    Calls that stand in such a subquery already stay as they are.
    """
    spans = [
        span for span in _calls(text, frozenset(names)) if not text[: span[0]].rstrip().endswith("SELECT")
    ]
    for start, end in reversed(spans):
        text = f"{text[:start]}( SELECT {text[start:end]}){text[end:]}"
    return text


def _calls(text: str, names: frozenset[str]) -> list[tuple[int, int]]:
    """Where calls of `names` begin and end, outermost only, as character positions."""
    raw = text.encode()
    if too_long(text):
        return []
    try:
        tokens = [(t.start, t.end) for t in postgast.scan(text).tokens]
    except PgQueryError:
        return []
    found: list[tuple[int, int]] = []
    i = 0
    while i < len(tokens):
        end, name = _dotted(raw, tokens, i)
        if name in names and end < len(tokens) and raw[tokens[end][0] : tokens[end][1]] == b"(":
            close = _closing(raw, tokens, end)
            first, last = tokens[i][0], tokens[close][1]
            found.append((len(raw[:first].decode()), len(raw[:last].decode())))
            i = close
        i = max(i + 1, end)
    return found


def _dotted(raw: bytes, tokens: list[tuple[int, int]], start: int) -> tuple[int, str]:
    """The dotted name that begins at a token, unquoted, and the token after it."""
    end = start + 1
    while end + 1 < len(tokens) and raw[tokens[end][0] : tokens[end][1]] == b".":
        end += 2
    words = [raw[a:b].decode() for a, b in tokens[start:end:2]]
    return end, ".".join(w[1:-1].replace('""', '"') if w.startswith('"') else w for w in words)


def _closing(raw: bytes, tokens: list[tuple[int, int]], opening: int) -> int:
    depth = 0
    for i in range(opening, len(tokens)):
        word = raw[tokens[i][0] : tokens[i][1]]
        depth += (word == b"(") - (word == b")")
        if depth == 0:
            return i
    return len(tokens) - 1
