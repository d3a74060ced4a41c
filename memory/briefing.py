"""What a turn needs to know from the bank, in a few lines within a budget of tokens; and past failures.

An entry is told as its title, what to do, and what to beware of. Nothing relevant gives an empty text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from memory.entry import Entry, one_line
from memory.ranking import Recalled, warning
from memory.tokens import identifiers

RELEVANT = 0.4
"""Share of a query's meaning that an entry must carry to be told unasked (see `Recalled.relevance`)."""
_MOST = 5
_ACTION = 320
_SHORT_ACTION = 140
# English with identifiers and SQL has 3 to 4 characters in a token of the usual tokenizers.
_CHARACTERS_IN_A_TOKEN = 3.2


@dataclass(frozen=True, slots=True)
class Brief:
    """Markdown for the start of a turn (empty: nothing helps), what it stands on, and its size."""

    text: str
    entries: tuple[Recalled, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class PastFailure:
    """An entry in which something failed on the object `name`, told in one sentence."""

    entry: Entry
    name: str
    last_failed: date
    text: str
    superseded_by: str | None = None


def tokens_of(text: str) -> int:
    """How many tokens `text` takes at the most, roughly."""
    return math.ceil(len(text) / _CHARACTERS_IN_A_TOKEN)


def brief(found: Sequence[Recalled], *, budget_tokens: int) -> Brief:
    """The relevant ones of `found` (best first) in as many lines as the budget holds."""
    told: list[Recalled] = []
    lines: list[str] = []
    for one in [one for one in found if one.relevance >= RELEVANT and one.superseded_by is None][:_MOST]:
        for length in (_ACTION, _SHORT_ACTION):
            line = _line(one, length)
            if tokens_of("\n".join([*lines, line])) <= budget_tokens:
                lines.append(line)
                told.append(one)
                break
    text = "\n".join(lines)
    return Brief(text, tuple(told), tokens_of(text))


def _line(one: Recalled, length: int) -> str:
    entry = one.entry
    parts = [f"- {entry.title} [{entry.id[-8:].lower()}]: {_cut(entry.action, length)}"]
    cautions = [reason for reason in one.why if reason.startswith(("expired", "is about"))]
    if one.warning:
        cautions.insert(0, one.warning)
    if cautions:
        parts.append(f"  Beware: {_cut('; '.join(cautions), length)}")
    return "\n".join(parts)


def _cut(text: str, length: int) -> str:
    line = one_line(text)
    if len(line) <= length:
        return line
    return line[: length - 1].rpartition(" ")[0].rstrip(" ,;:.") + " …"


def past_failure(entry: Entry, names: Iterable[str], superseded_by: str | None) -> PastFailure | None:
    """The failure in `entry` on one of the objects `names`, or None."""
    failures = [outcome for outcome in entry.outcomes if outcome.result == "failed"]
    name = next((name for name in names if concerns(entry, name)), None)
    if name is None or not failures:
        return None
    last = max(outcome.when for outcome in failures).date()
    return PastFailure(entry, name, last, f"{entry.title}: {warning(entry)}", superseded_by)


def concerns(entry: Entry, name: str) -> bool:
    """Whether `entry` is about the object `name` (a table with or without its schema, a service, a file).

    Its applies_to names it, or its text does as an object: an ordinary word such as `events` counts only
    where it is quoted, qualified by a schema or follows a word of SQL.
    """
    wanted = name.casefold().strip('"')
    bare = wanted.rpartition(".")[2] if re.fullmatch(r"[\w$]+\.[\w$]+", wanted) else wanted
    named = {one.casefold() for names in entry.applies_to.values() for one in names}
    if {wanted, bare} & named or any(one.endswith(f".{wanted}") for one in named):
        return True
    text = "\n".join((entry.title, *entry.tags, entry.context, entry.action, entry.result, entry.why))
    if identifiers(bare):
        return re.search(rf"(?<![\w-]){re.escape(bare)}(?![\w-])", text, re.IGNORECASE) is not None
    before = r"`|\"|\w\.|\b(?:table|on|from|into|update|join|only|truncate|relation|service|index)\s+\"?"
    spoken = rf"(?:{before}){re.escape(bare)}(?=[`\"\s,;(.)]|$)"
    return any(match.group().isascii() for match in re.finditer(spoken, text, re.IGNORECASE))
