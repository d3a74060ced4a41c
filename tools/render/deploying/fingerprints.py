"""Log lines as a deploy may show them: the program's own words, without anybody's name, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from tools.logs.fingerprints import fingerprint as veiled
from tools.logs.veil import veil
from tools.redaction import Redactor

_SHAPES: Final = Redactor(strict=True)
_READ: Final = 2_000
_SHOWN: Final = 150


def fingerprint(line: str) -> str:
    """What lines that say the same have in common, short enough to be shown."""
    text = veiled(line[:_READ])
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def exact(line: str) -> str:
    """The line with its numbers, for a build: where in the code it failed is what a person needs."""
    text = " ".join(veil(line[:_READ], lambda kind, _: f"<{kind}>", _SHAPES).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def counted(lines: Iterable[str]) -> dict[str, int]:
    """Fingerprints with how often each came, the most frequent first."""
    return dict(Counter(map(fingerprint, lines)).most_common())
