"""Words and identifiers of a text, as the index and the duplicate check see them.

An identifier is kept whole *and* taken apart: `patient_clinical_events` is one token and three words, `42P17`
stays `42p17`, `srv-abc` is `srv_abc`, `srv` and `abc`, and `patientEvents` is `patient_events` too.
"""

from __future__ import annotations

import collections
import functools
import itertools
import re

_CHUNK = re.compile(r"[^\W_]+(?:[_.\-]+[^\W_]+)*")
_PIECE = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MIXED = re.compile(r"(?=.*\d)(?=.*[^\W\d_])")

_COMMON_WORDS = """
    a about after again all also am an and any are as at be because been before being but by can could
    did do does doing done down during each for from had has have having he help her here him his how i
    if in into is it its itself just know let like make me more most my need no nor not now of off on
    once only or other our out over own please same sergei she should so some such tell than that the
    their them then there these they this those through to too under until up us use very want was we
    were what when where which while who whom why will with would you your
"""
_OFTEN = 3
STOP_WORDS = frozenset(_COMMON_WORDS.split())


def words(text: str) -> list[str]:
    """Lower-case words in order, identifiers taken apart."""
    if text.islower():
        return _PIECE.findall(text.lower())
    found: list[str] = []
    for piece in _PIECE.findall(text):
        if piece.islower() or piece.isupper() or (piece.istitle() and piece.isalpha()):
            found.append(piece.lower())
        else:
            found += [part.lower() for part in _CAMEL.split(piece) if part]
    return found


def identifiers(text: str) -> list[str]:
    """Identifiers kept whole, lower case, their joints (`-`, `.`, camel case) spelled `_`."""
    # Most pieces are ordinary words, which is seen at once.
    pieces = dict.fromkeys(text.split())
    odd = [one for one in pieces if not (one.isalpha() and (one.islower() or one.istitle()))]
    chunks = dict.fromkeys(_CHUNK.findall(" ".join(odd)))
    return list(dict.fromkeys(itertools.chain.from_iterable(map(_whole, chunks))))


@functools.lru_cache(maxsize=50_000)
def _whole(chunk: str) -> tuple[str, ...]:
    if chunk.isalpha() and (chunk.islower() or chunk.istitle()):
        return ()
    parts = words(chunk)
    if len(parts) > 1:
        joined = "_".join(parts)
        return (joined, plain) if (plain := chunk.lower()).isalnum() else (joined,)
    return (chunk.lower(),) if _MIXED.match(chunk) else ()


def prominent_text(text: str) -> str:
    """`text` for a column that weighs much: words and whole identifiers, not the pieces of `app_metadata`.

    A question about "the app" is no question about `app_metadata`; in the body the piece still counts.
    """
    spoken = [chunk for chunk in _CHUNK.findall(text) if "_" not in chunk and "." not in chunk]
    return " ".join([*words(" ".join(spoken)), *identifiers(text)])


def query_terms(query: str, *, limit: int = 160) -> list[str]:
    """What to look for: identifiers first, then words that carry meaning; at most `limit`.

    A word said several times stands there as often (three times at the most): it weighs more.
    """
    meaningful = [
        word for word in words(query) if word not in STOP_WORDS and (len(word) > 1 or word.isdigit())
    ]
    whole = identifiers(query)
    times = collections.Counter(whole)
    kept: list[str] = []
    for word in meaningful:
        times[word] += 1
        if times[word] <= _OFTEN and not (word in whole and times[word] <= 2):
            kept.append(word)
    return [*whole, *kept][:limit]
