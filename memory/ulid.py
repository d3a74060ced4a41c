"""ULIDs: 26 characters, sortable by time, made without asking anybody."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHAPE = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
TAIL = 8


def new_ulid(now: datetime) -> str:
    """A new ULID of the moment `now` (aware): 48 bits of milliseconds, 80 random bits."""
    number = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def is_ulid(text: str) -> bool:
    """Whether `text` is a ULID in its canonical upper-case spelling."""
    return _SHAPE.fullmatch(text) is not None


def ulid_time(ulid: str) -> datetime:
    """The moment in a ULID, in UTC, to the millisecond."""
    number = 0
    for character in ulid[:10]:
        number = number * 32 + _ALPHABET.index(character)
    # Beyond year 9999 datetime has no word for it; a hand-written id may well say so.
    return datetime.fromtimestamp(min(number, 253_402_300_799_000) / 1000, UTC)


def tail(ulid: str) -> str:
    """The short form that file names carry: the last eight characters, lower case."""
    return ulid[-TAIL:].lower()
