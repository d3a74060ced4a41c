"""What the text of a condition tells about the values that meet it: its constants, patterns and lengths.

Hints only: every candidate made from them is tried by PostgreSQL itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tools.sandbox.scratch.patterns import sample

_LITERAL: Final = re.compile(r"(?P<escaped>\bE)?'(?P<text>(?:[^']|'')*)'")
_NUMBER: Final = re.compile(r"(?<![\w.$])-?\d+(?:\.\d+)?(?![\w.])")
_IDENTIFIER: Final = re.compile(r'"(?:[^"]|"")*"')
_REGEX: Final = re.compile(r"(?:!?~\*?|similar_to_escape\(|regexp_\w+\([^']*)\s*\(?$")
_LIKE: Final = re.compile(r"!?~~\*?\s*\(?$")


@dataclass(frozen=True, slots=True)
class Hints:
    """Constants of one or more conditions, in the order in which they stand."""

    strings: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    likes: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    def texts(self, number: int) -> list[str]:
        """Texts that may meet the conditions; `number` makes them differ from row to row."""
        found = list(self.strings)
        for pattern in self.regexes:
            found += [text for variant in range(3) if (text := sample(pattern, number, variant)) is not None]
        for like in self.likes:
            plain = like.replace("\\", "")
            found += [plain.replace("%", f"x{number}").replace("_", "x"), plain.replace("%", "")]
        return found

    def lengths(self) -> list[int]:
        """Lengths that the conditions may speak of."""
        whole = [int(text) for text in self.numbers if re.fullmatch(r"\d{1,4}", text)]
        return sorted(
            {length for number in whole for length in (number - 1, number, number + 1) if length > 0}
        )


def names_in(expression: str) -> set[str]:
    """Words of an expression that may be names of columns; string literals are left out."""
    bare = _LITERAL.sub(" ", expression)
    quoted = {found[1:-1].replace('""', '"') for found in _IDENTIFIER.findall(bare)}
    return quoted | set(re.findall(r"[^\W\d][\w$]*", _IDENTIFIER.sub(" ", bare)))


def read_hints(expressions: Iterable[str]) -> Hints:
    """The hints of these conditions, written as PostgreSQL deparses them."""
    strings: list[str] = []
    regexes: list[str] = []
    likes: list[str] = []
    numbers: list[str] = []
    for expression in expressions:
        bare = _IDENTIFIER.sub(" ", expression)
        end = 0
        for found in _LITERAL.finditer(bare):
            between = bare[end : found.start()]
            numbers += _NUMBER.findall(between)
            text = found["text"].replace("''", "'")
            if found["escaped"]:
                text = text.replace("\\\\", "\\")
            kind = regexes if _REGEX.search(between) else likes if _LIKE.search(between) else strings
            kind.append(text)
            end = found.end()
        numbers += _NUMBER.findall(bare[end:])
    return Hints(*(tuple(dict.fromkeys(found)) for found in (strings, regexes, likes, numbers)))
