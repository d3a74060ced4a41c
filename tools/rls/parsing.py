"""SQL text of the catalog as parse trees, or None where it cannot be read safely.

The parser is C code: a chain of some 40,000 operators overflows its stack and takes the process down. Short
texts cannot hold one; longer ones are checked by tools.database.sqltext from their flat tokens first.
"""

from __future__ import annotations

from typing import Final

import postgast

from tools.database.sqltext import MAX_CHARS, parse_script
from tools.errors import InvalidInput
from tools.rls.sqltree import UNREADABLE, Node, copied

HARMLESS_CHARS: Final = 2_000
"""Up to here no chain is long enough to hurt, on the smallest stacks that threads get."""


def trees(text: str) -> tuple[Node, ...] | None:
    """One node per statement; None for a syntax error, and for what is too long or too deep to parse."""
    try:
        if len(text) > HARMLESS_CHARS:
            return tuple(copied(piece.node) for piece in parse_script(text))
        return tuple(copied(raw.stmt) for raw in postgast.parse(text).stmts)
    except (*UNREADABLE, InvalidInput):
        return None


def too_long(text: str) -> bool:
    """Whether a text is beyond what is looked at, even token by token."""
    return len(text) > MAX_CHARS
