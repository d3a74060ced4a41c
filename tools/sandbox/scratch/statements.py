"""SQL files cut into statements, each with what it is about."""

from __future__ import annotations

import re
from typing import Final

import postgast

from tools.sandbox.scratch.dump import Entry

_COPY: Final = re.compile(r"^COPY\s[^;]*?FROM\s+stdin[^;]*;\n.*?^\\\.$", re.M | re.S | re.I)
_META: Final = re.compile(r"^\\.*$", re.M)
_COMMENTS: Final = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.S)
_OUTSIDE: Final = re.compile(
    r"(begin|commit|rollback|start\s+transaction|end|vacuum|analyze|alter\s+system|alter\s+database"
    r"|create\s+database|savepoint|release|copy|checkpoint|load|listen|notify)\b",
    re.I,
)
_CONCURRENTLY: Final = re.compile(
    r"\A((?:create\s+(?:unique\s+)?|drop\s+)index|refresh\s+materialized\s+view)\s+concurrently\b", re.I
)
_KIND: Final = re.compile(
    r"(?:create|alter|comment\s+on|drop)\s+(?:or\s+replace\s+)?(?:unique\s+)?(?:temp(?:orary)?\s+)?"
    r"(materialized\s+view|event\s+trigger|foreign\s+(?:table|data\s+wrapper)|[a-z]+)",
    re.I,
)
_ROWS: Final = re.compile(r"(insert|update|delete)\b(?!.*\bstorage\W+buckets\b)", re.I | re.S)


def pieces(text: str) -> list[str]:
    """The statements of a text; by the scanner alone where the parser refuses one of them."""
    try:
        found = postgast.split(text)
    except postgast.PgQueryError:
        try:
            found = postgast.split(text, method="scanner")
        except postgast.PgQueryError:
            return [text]
    return [statement.strip() for statement in found if statement.strip()]


def looks_dumped(text: str) -> bool:
    """Whether a file holds the settings that pg_dump writes, as also `supabase db dump` leaves them."""
    return bool(re.search(r"^SET check_function_bodies = (false|off);", text[:4000], re.M | re.I))


def statements(text: str, *, rows: bool) -> list[Entry]:
    """The statements of one file that a scratch database runs. Without `rows` no row of it goes in, except
    storage buckets; what COPY brings never does."""
    bare = _META.sub("", _COPY.sub("", text))
    found: list[Entry] = []
    for piece in pieces(bare):
        statement = _COMMENTS.sub("", piece)
        if not statement or _OUTSIDE.match(statement) or (not rows and _ROWS.match(statement)):
            continue
        statement = _CONCURRENTLY.sub(r"\1", statement)
        found.append(_entry(statement))
    return found


def _entry(statement: str) -> Entry:
    head = " ".join(statement.split())[:90]
    found = _KIND.match(statement)
    kind = found[1].upper() if found else head.partition(" ")[0].upper()
    if head.upper().startswith("COMMENT"):
        kind = "COMMENT"
    return Entry(_spaced(kind), "", head, statement)


def _spaced(kind: str) -> str:
    return " ".join(kind.split())
