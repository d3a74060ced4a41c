"""Chance that repeats itself: every number is a function of the seed and of what it is for."""

from __future__ import annotations

import hashlib
import random

ALPHABET = "0123456789abcdefghijklmnopqrstuv"


def digest(*parts: object) -> int:
    """A 64-bit number for these parts, the same in every process."""
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def unit(*parts: object) -> float:
    """A number in [0, 1) for these parts."""
    return digest(*parts) / 2**64


def chance(*parts: object) -> random.Random:
    """A generator for these parts; not for secrets."""
    return random.Random(digest(*parts))  # noqa: S311


def resource_id(prefix: str, *parts: object) -> str:
    """An id in Render's form: a prefix and twenty base32hex letters."""
    number = digest("id", *parts) << 64 | digest("di", *parts)
    letters: list[str] = []
    for _ in range(19):
        number, rest = divmod(number, 32)
        letters.append(ALPHABET[rest])
    return f"{prefix}-d{''.join(letters)}"


def hexadecimal(length: int, *parts: object) -> str:
    """So many hexadecimal digits, for instance of a commit."""
    text = "".join(f"{digest(index, *parts):016x}" for index in range(length // 16 + 1))
    return text[:length]
