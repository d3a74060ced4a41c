"""A text that matches a regular expression: for CHECK constraints such as `code ~ '^[A-Z]{3}-[0-9]+$'`.

Only what such constraints use: classes, groups, alternatives, counts, anchors. Lookaround is taken as met.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits, punctuation
from typing import Final

_PRINTABLE: Final = ascii_lowercase + ascii_uppercase + digits + "-_. "
_ESCAPES: Final = {"d": digits, "w": ascii_lowercase + digits + "_", "s": " ", "n": "\n", "t": "\t"}
_NEGATED: Final = {"D": digits, "W": ascii_letters + digits + "_", "S": " \n\t"}
_ANCHORS: Final = "AZmMyYbB"
_NAMED: Final = {
    "alpha": ascii_lowercase + ascii_uppercase,
    "digit": digits,
    "alnum": ascii_lowercase + ascii_uppercase + digits,
    "upper": ascii_uppercase,
    "lower": ascii_lowercase,
    "space": " ",
    "punct": punctuation,
    "xdigit": digits + "abcdef",
}
_COUNT: Final = re.compile(r"\{(\d+)(,(\d*))?\}")
_LONGEST: Final = 64


class _Unreadable(Exception):
    """The pattern uses something that is not understood here."""


@dataclass
class _Reader:
    """Reads a pattern and writes a match as it goes; `left` is spread over the characters chosen."""

    text: str
    left: int
    variant: int
    at: int = 0

    def alternatives(self) -> str:
        choices = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            choices.append(self.sequence())
        return choices[self.variant % len(choices)]

    def sequence(self) -> str:
        made: list[str] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            start, before = self.at, self.left
            piece = self.atom()
            after = self.at
            for turn in range(self.count()):
                if turn == 0:
                    made.append(piece)
                    continue
                resume, self.at = self.at, start  # the atom is read again, so that its characters may differ
                made.append(self.atom())
                self.at = resume
            if self.at > after and self.text[after] in "?*" and self.variant == 1:
                self.left = before
        return "".join(made)

    def atom(self) -> str:
        char = self.text[self.at]
        self.at += 1
        if char == "(":
            return self.group()
        if char == "[":
            return self.pick(self.set_of_characters())
        if char == "\\":
            return self.escape()
        if char in "^$":
            return ""
        return self.pick(_PRINTABLE) if char == "." else char

    def group(self) -> str:
        around = False
        if self.peek() == "?":
            found = re.compile(r"\?(:|=|!|<=|<!)").match(self.text, self.at)
            if not found:
                raise _Unreadable
            around = found[1] != ":"
            self.at = found.end()
        made = self.alternatives()
        if self.peek() != ")":
            raise _Unreadable
        self.at += 1
        return "" if around else made

    def escape(self) -> str:
        char = self.peek()
        self.at += 1
        if char in _ESCAPES:
            return self.pick(_ESCAPES[char])
        if char in _NEGATED:
            return self.pick("".join(letter for letter in _PRINTABLE if letter not in _NEGATED[char]))
        if char in _ANCHORS:
            return ""
        if char.isalnum():
            raise _Unreadable
        return char

    def set_of_characters(self) -> str:
        negated = self.peek() == "^"
        self.at += negated
        chosen = ""
        first = True
        while first or self.peek() != "]":
            first = False
            if self.at >= len(self.text):
                raise _Unreadable
            chosen += self.member()
        self.at += 1
        if negated:
            return "".join(char for char in _PRINTABLE if char not in chosen)
        return chosen

    def member(self) -> str:
        named = re.compile(r"\[:(\w+):\]").match(self.text, self.at)
        if named:
            self.at = named.end()
            return _NAMED.get(named[1], "x")
        char = self.peek()
        self.at += 1
        if char == "\\":
            char = self.peek()
            self.at += 1
            if char in _ESCAPES:
                return _ESCAPES[char]
        if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
            end = self.text[self.at + 1]
            self.at += 2
            return "".join(map(chr, range(ord(char), min(ord(end), ord(char) + 200) + 1)))
        return char

    def count(self) -> int:
        """How often the atom just read is repeated."""
        char = self.peek()
        if char in ("*", "+", "?"):
            self.at += 1
            self.at += self.peek() == "?"
            times = {"*": 3, "+": 3, "?": 1} if self.variant != 1 else {"*": 0, "+": 1, "?": 0}
            return times[char]
        found = _COUNT.match(self.text, self.at)
        if not found:
            return 1
        self.at = found.end()
        least = int(found[1])
        most = least if not found[2] else int(found[3]) if found[3] else least + 3
        wanted = most if self.variant == 2 else max(least, min(most, 3))
        return min(wanted if self.variant != 1 else least, max(_LONGEST, least))

    def pick(self, letters: str) -> str:
        if not letters:
            raise _Unreadable
        self.left, index = divmod(self.left, len(letters))
        return letters[index]

    def peek(self) -> str:
        if self.at < len(self.text):
            return self.text[self.at]
        return ""


def sample(pattern: str, number: int, variant: int = 0) -> str | None:
    """A text that matches `pattern`, another one for each number where it has room; None when unreadable.

    Variants: 0 repeats a few times, 1 as little as it may, 2 as often as a count allows.
    """
    reader = _Reader(re.sub(r"^\(\?[a-z]+\)|^\*\*\*:", "", pattern), number, variant)
    try:
        made = reader.alternatives()
    except (_Unreadable, IndexError):
        return None
    return made if reader.at == len(reader.text) else None
