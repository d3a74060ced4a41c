"""Whether a new entry says what an old one already says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from memory.entry import AppliesTo, Entry
from memory.tokens import STOP_WORDS, identifiers, words

OVERLAP = 0.8
# Words that turn a sentence around. Two texts that differ in one of these do not say the same.
_TURNING_WORDS = """
    not no never without except before after on off up down in out enable enabled disable disabled add
    added remove removed drop dropped create created delete deleted increase increased decrease
    decreased raise raised lower lowered grant granted revoke revoked allow allowed deny denied start
    started stop stopped widen narrow larger smaller more less with
"""
_TURNING = frozenset(_TURNING_WORDS.split())


def find_duplicate(new: Entry, entries: Iterable[Entry]) -> Entry | None:
    """The entry that `new` repeats, active ones first, or None.

    It repeats one with the same title and action (however spaced and spelled in case), or one with the same
    applies_to whose title and action share at least four fifths of their words, *and* every number, every
    identifier and every word that turns the meaning.
    """
    repeats = [entry for entry in entries if _same_text(new, entry) or _near(new, entry)]
    order = {"active": 0, "superseded": 1, "retired": 2}
    return min(repeats, key=lambda entry: (order[entry.status], entry.id), default=None)


def repeat_keys(title: str, action: str, category: str, applies_to: AppliesTo) -> tuple[int, int]:
    """Of two entries of which one repeats the other, the first keys or the second keys are equal."""
    said = words(title), words(action)
    scope = sorted((name, sorted(names)) for name, names in _folded(applies_to).items())
    near = (category, scope, sorted(_exact(f"{title}\n{action}", {*said[0], *said[1]})))
    return _hash(said), _hash(near)


def _hash(value: object) -> int:
    digest = hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _same_text(new: Entry, old: Entry) -> bool:
    return words(new.title) == words(old.title) and words(new.action) == words(old.action)


def _near(new: Entry, old: Entry) -> bool:
    if _folded(new.applies_to) != _folded(old.applies_to) or new.category != old.category:
        return False
    new_text, old_text = f"{new.title}\n{new.action}", f"{old.title}\n{old.action}"
    new_words, old_words = set(words(new_text)), set(words(old_text))
    if _exact(new_text, new_words) != _exact(old_text, old_words):
        return False
    new_words, old_words = new_words - STOP_WORDS, old_words - STOP_WORDS
    return bool(new_words) and len(new_words & old_words) >= OVERLAP * len(new_words | old_words)


def _exact(text: str, found: set[str]) -> set[str]:
    """What must be equal, not only close: identifiers, numbers, words that turn the meaning."""
    return {*identifiers(text), *(word for word in found if word in _TURNING or not word.isalpha())}


def _folded(applies_to: AppliesTo) -> dict[str, frozenset[str]]:
    return {
        scope: frozenset(name.casefold() for name in names) for scope, names in applies_to.items() if names
    }
