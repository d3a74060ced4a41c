"""Atoms as people read them: no casts of constants, tables instead of aliases, one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_LONGEST: Final = 110
_CAST: Final = re.compile(r"""('(?:[^']|'')*'|\b[\d.]+|\bNULL)::("[^"]+"|[\w.]+)(\s?\[\])?""")
_ALIAS: Final = re.compile(r"(\(SELECT [\w.]+\([^()]*\)) AS \w+\)", re.IGNORECASE)
_SELECTED: Final = re.compile(
    r"(?<!\w)(?<!\bIN )\(\s*SELECT\s+((?:[\w.]+)\([^()]*\))(?:\s+AS\s+\w+)?\s*\)", re.IGNORECASE
)
_KEYWORD: Final = re.compile(
    r"\b(SELECT|FROM|WHERE|AND|OR|NOT|IN|IS|NULL|ANY|ALL|EXISTS|ARRAY|AS|JOIN|ON|COALESCE|CASE|WHEN|THEN|ELSE"
    r"|END|TRUE|FALSE|DISTINCT|UNION|LEFT|CROSS|LATERAL)\b"
)
_QUOTED: Final = re.compile(r"('(?:[^']|'')*')")


def readable(sql: str, aliases: Mapping[str, str]) -> str:
    """`profile_grants.status = 'active'` for `g.status = 'active'::public.grant_status`."""
    text = _ALIAS.sub(r"\1)", _SELECTED.sub(r"\1", _CAST.sub(r"\1", " ".join(sql.split()))))
    pieces: list[str] = []
    for piece in _QUOTED.split(text):
        if piece.startswith("'"):
            pieces.append(piece)
            continue
        for alias, title in aliases.items():
            name = title.rpartition(".")[2]
            # A table that is joined with itself keeps its aliases: they tell its rows apart.
            if alias != name and list(aliases.values()).count(title) == 1:
                piece = re.sub(rf"(?<![\w.\"]){re.escape(alias)}\.(?=[\w\"])", f"{name}.", piece)
        pieces.append(_KEYWORD.sub(lambda word: word[0].lower(), piece))
    short = "".join(pieces)
    return short if len(short) <= _LONGEST else short[: _LONGEST - 3] + "..."
