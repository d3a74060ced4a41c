"""Log lines as a deploy may show them: the program's own words, counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from tools.redaction import Redactor
from tools.render.diagnosing.fingerprints import fingerprint as program_words

_REDACTOR: Final = Redactor(strict=True)
_LONGEST: Final = 2_000
_NAMED: Final = re.compile(r"(?<=\w)=[\"']?[A-ZÀ-Þ][\w'’-]*(?: [A-ZÀ-Þ][\w'’.-]*){1,3}")
"""A value of several capitalised words, which no space ends: patient=Jane Roe."""


def fingerprint(line: str) -> str:
    """The line without what differs from one to the next, and without anybody's name."""
    text = _REDACTOR.text(_NAMED.sub("=<value>", line[:_LONGEST]))
    return program_words(re.sub(r"<([a-z-]+):[0-9a-f]{8}>", r"<\1>", text))


def counted(lines: Iterable[str]) -> dict[str, int]:
    """Fingerprints with how often each came, the most frequent first."""
    return dict(Counter(map(fingerprint, lines)).most_common())
