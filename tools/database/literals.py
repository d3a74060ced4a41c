"""SQL without its literals: what other sessions run may carry a patient's values."""

from __future__ import annotations

import re
from typing import Final

from postgast import PgQueryError, normalize

_STRING: Final = re.compile(r"'(?:[^'\\]|''|\\.)*'?|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)|\b\d+(?:\.\d+)?\b")
_COMMENT: Final = re.compile(r"/\*[\s\S]*?(?:\*/|$)|--[^\n]*")
_LONGEST: Final = 100_000


def without_literals(sql: str, limit: int = 400) -> str:
    """The statement with `$1` or `?` where its constants were, on one line, cut to `limit` characters."""
    text = _COMMENT.sub(" ", sql[:_LONGEST])
    try:
        plain = normalize(text)
        # normalize leaves the constants of utility statements (ALTER ROLE ... PASSWORD 'x') as they are.
        plain = _STRING.sub(lambda found: found.group() if _placeholder(plain, found.start()) else "?", plain)
    except PgQueryError:
        plain = _STRING.sub("?", text)  # cut off by track_activity_query_size, most often
    plain = " ".join(plain.split())
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def _placeholder(text: str, start: int) -> bool:
    return start > 0 and text[start - 1] == "$"
