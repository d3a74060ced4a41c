"""The words of an error message that stay the same when the same thing fails again.

Numbers, ids, UUIDs, quoted values, paths, times and names with a joint are dropped; what is left is cut into
runs of three words, so that a message is recognised with other values, inside a log line and cut short.
"""

from __future__ import annotations

import functools
import itertools
import re

_RUN = 3
_LONGEST = 10  # words of a message that are looked at; what comes later is mostly values
_MOST = 24
MARK = "e_"
"""How a term begins that stands for a run of words of an error message."""

_SIGNS = (
    "error", "fatal", "panic", "exception", "fail", "denied", "violat", "invalid", "cannot", "can't",
    "exceeded", "exited", "killed", "deadlock", "timeout", "missing", "unknown", "undefined", "conflict",
    "abort", "reject", "unavailable", "unreachable", "unauthorized", "forbidden", "traceback", "sqlstate",
    "cancel", "crash", "enoent", "refused", "not exist", "not found", "not allowed", "timed out",
    "out of ", "too many", "unable to", "no such", "does not", "could not",
)  # fmt: skip
_SENTENCE_END = re.compile(r"[.!?;]\s+(?=[A-Z])")
_QUOTES = re.compile(r"""["'<{\[]""")
_QUOTED = re.compile(
    r"""\\?"[^"\n]{0,200}?\\?"|(?<![\w)])'[^'\n]{0,200}'(?!\w)|<[^<>\n]{1,60}>|\{[^{}\n]{1,60}\}|\[[^\[\]\n]{1,60}\]"""
)
# Numbers, ids, times, paths, addresses and names with a joint: what a message is about, not what it says.
_VALUE = re.compile(r"[\d_…/@$]|\w[.:=]\w")
_WORD = re.compile(r"[^\W\d_]{2,}")
# Log levels and the like stand before a message in one place and not in the other.
_LEVELS = "error fatal warning warn info log debug detail hint critical err stderr stdout"
_DECORATION = frozenset(_LEVELS.split())


def error_runs(text: str, *, most: int = _MOST, everywhere: bool = False) -> list[str]:
    """The terms for the error messages in `text`, in order, each once; none when it tells of no error.

    `everywhere` takes every sentence for a message, as a question may quote one that does not look like it.
    """
    lines = text.replace("`", "\n").replace("|", "\n")
    whole = lines.lower()
    signs = [] if everywhere else [sign for sign in _SIGNS if sign in whole]
    if not signs and not everywhere:
        return []
    runs: dict[str, None] = {}
    for segment in _SENTENCE_END.sub("\n", lines).split("\n"):
        lowered = segment.lower()
        if segment and (everywhere or any(sign in lowered for sign in signs)):
            stable = _stable_words(segment)
            if len(stable) == _RUN - 1:
                runs[MARK + "_".join(stable)] = None
            for one, two, three in zip(stable, stable[1:], stable[2:], strict=False):
                runs[f"{MARK}{one}_{two}_{three}"] = None
            if len(runs) >= most:
                break
    return list(runs)[:most]


def _stable_words(segment: str) -> list[str]:
    segment = segment[: _LONGEST * 20]
    if _QUOTES.search(segment):
        segment = _QUOTED.sub(" ", segment)
    stable = itertools.chain.from_iterable(map(_words_of, segment.split()[: 2 * _LONGEST]))
    return list(itertools.islice(stable, _LONGEST))


@functools.lru_cache(maxsize=20_000)
def _words_of(piece: str) -> tuple[str, ...]:
    if not piece.isalpha() and _VALUE.search(piece):
        return ()
    return tuple(word for word in _WORD.findall(piece.lower()) if word not in _DECORATION)
