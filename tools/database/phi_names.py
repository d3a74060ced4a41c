"""What a name says of a table or a column: evidence with its reason, never the last word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from tools.database import phi_words as w


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a column's name says. `kind` is the word of its pseudonym; `strong`: it speaks of a person."""

    kind: str
    strong: bool
    why: str


_POSTAL: Final = frozenset({"zip", "postal", "post", "postale", "postleitzahl"})
_PLACE_WORDS: Final = w.words("""
city town county ort ville ciudad municipio cidade citta comune lat lon lng latitude longitude geo geom
colonia localita cap via str house subdivision mac district
""")
"""Words of places that hospitals and countries have, too."""
_HASHES: Final = frozenset(
    {"access", "auth", "private", "signing", "encryption", "service", "api", "refresh"}
)


@cache
def column_meaning(name: str) -> Meaning | None:
    """What the column's name says, or None when it says nothing of persons."""
    words = w.split(name)
    found = _meaning(words)
    if found is None or not w.quiet(words) or found.kind == "secret":
        return found
    if found.kind == "address" and (_POSTAL & set(words) or words[-1] == "code"):
        return found  # the code of a place is a place
    return None if found.kind != "id" or not w.PERSONS & set(words) else found


def column_kind(name: str) -> str:
    """The kind of what the column's name says, or an empty string."""
    meaning = column_meaning(name)
    return meaning.kind if meaning else ""


def _meaning(words: tuple[str, ...]) -> Meaning | None:
    said = set(words)
    if said & w.SECRETS or ("key" in said and said & _HASHES):
        return Meaning("secret", True, "its name says that it holds a secret")
    for kind, vocabulary, why in (
        ("email", w.EMAILS, "an e-mail address"),
        ("phone", w.PHONES, "a phone number"),
        ("id", w.NUMBERS, "a number that identifies a person"),
        ("name", w.NAMES, "a person's name"),
    ):
        word = next((word for word in words if word in vocabulary), None)
        if word:
            return Meaning(kind, True, f"its name ({word}) says {why}")
    return _person(words, said) or _circumstance(words, said)


def _person(words: tuple[str, ...], said: set[str]) -> Meaning | None:
    if said & w.NAME and said & w.GIVEN:
        return Meaning("name", True, "its name says a person's name")
    if said & {"fiscale", "fiscal"} and said & {"codice", "code", "codigo", "cod"}:
        return Meaning("id", True, "its name says a number that identifies a person")
    if said & {"insurance", "policy", "health", "card", "chart", "record", "enrollee"} and said & w.IDS:
        return Meaning("id", True, "its name says a number that identifies a person")
    if said & {"security", "securite", "social", "seguridad", "national", "tax"} and said & w.IDS:
        return Meaning("id", True, "its name says a number that identifies a person")
    persons = said & w.PERSONS
    if persons and (said & (w.IDS | {"code"}) or len(words) == 1):
        return Meaning("id", True, f"its name ({sorted(persons)[0]}) refers to a person")
    born = next((word for word in words if word in w.BIRTHS), None)
    if born:
        return Meaning("date", True, f"its name ({born}) says a date of birth or death")
    return None


def _circumstance(words: tuple[str, ...], said: set[str]) -> Meaning | None:
    place = next((word for word in words if word in w.ADDRESSES), None)
    if place or (said & _POSTAL and said & {"code", "codigo", "codice"}):
        strong = place not in _PLACE_WORDS
        return Meaning("address", strong, f"its name ({place or 'postal code'}) says a place")
    for kind, vocabulary, strong, why in (
        ("text", w.TEXTS, True, "free text"),
        ("text", w.HEALTH, True, "a person's health or circumstances"),
        ("image", w.FACES, False, "a picture, a recording or a signature"),
    ):
        word = next((word for word in words if word in vocabulary), None)
        if word:
            return Meaning(kind, strong, f"its name ({word}) says {why}")
    return None


@cache
def person_table(name: str) -> str | None:
    """The word of a table's name that speaks of persons or their care, unless its last word is a lookup's."""
    words = w.split(name)
    if reference_table(name):
        return None
    return next((word for word in words if word in w.PERSONS or word in w.CARE or _plural(word)), None)


@cache
def reference_table(name: str) -> str | None:
    """The word of a table's name that speaks of a lookup, where it is the name's last word or its prefix."""
    words = w.split(name)
    if not words:
        return None
    if words[-1] in w.REFERENCE or words[-1].removesuffix("s") in w.REFERENCE:
        return words[-1]
    first = words[0] in {"lookup", "lkp", "lk", "ref", "lov", "enum", "cat", "dict"}
    return words[0] if first and len(words) > 1 else None


def _plural(word: str) -> bool:
    return word.removesuffix("s") in w.PERSONS or word.removesuffix("s") in w.CARE


def lookup_columns(names: Iterable[str]) -> bool:
    """Whether these columns are those of a plain lookup: a code and what it means, nothing else."""
    split = [w.split(name) for name in names]
    keyed = any((words and words[0] in w.LOOKUP_KEYS) or words[-1:] == ("code",) for words in split)
    return keyed and all(set(words) <= w.LOOKUP_COLUMNS for words in split)


def coded(name: str) -> bool:
    """Whether the last word says a status, a code or a type, and nothing says a person's number."""
    words = w.split(name)
    if not words or column_meaning(name) is not None:
        return False
    if words[-1] == "id":
        return words[-2:-1] == ("concept",) or (len(words) > 1 and words[-2] in {"status", "type", "unit"})
    return words[-1] in w.CODED or words[0] in {"is", "has"}
