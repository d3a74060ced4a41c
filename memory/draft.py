"""A proposal for an entry, and the checks that keep junk out of the bank."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from types import MappingProxyType

from memory.entry import (
    CATEGORIES,
    CONFIDENCES,
    RESULTS,
    AppliesTo,
    Category,
    Confidence,
    Entry,
    Outcome,
    Result,
    Source,
    conflict_line,
    one_line,
    tidy,
)
from memory.errors import InvalidEntry
from memory.ulid import new_ulid

MAX_TITLE = 160
MAX_BODY = 64 * 1024
MAX_NOTE = 400
_SCOPE = re.compile(r"[a-z][a-z0-9_]*")
_FILLERS = """
    tbd todo n/a na none nothing unknown pending later ? - ... ok done yes no worked failed partly it
    test
"""
_PLACEHOLDERS = frozenset(_FILLERS.split())


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants remembered. `result` says what came of it, `outcome` says it in one word."""

    title: str
    category: Category
    action: str
    result: str
    outcome: Result = "worked"
    context: str = ""
    why: str = ""
    tags: Sequence[str] = ()
    applies_to: Mapping[str, str | Sequence[str]] = field(
        default_factory=dict[str, "str | Sequence[str]"], hash=False
    )
    confidence: Confidence = "medium"
    valid_until: date | None = None
    ref: str = ""


def scopes(applies_to: Mapping[str, str | Sequence[str]]) -> AppliesTo:
    """`applies_to` with tuples of names; a text alone is a list of one. InvalidEntry on an odd scope."""
    found: dict[str, tuple[str, ...]] = {}
    for scope, given in applies_to.items():
        if not _SCOPE.fullmatch(scope):
            raise InvalidEntry(
                f"The scope '{scope}' in applies_to must be one lower-case word, such as service or table."
            )
        names = tuple(
            dict.fromkeys(one_line(name) for name in ([given] if isinstance(given, str) else given))
        )
        if kept := tuple(name for name in names if name):
            found[scope] = kept
    return MappingProxyType(found)


def to_entry(draft: Draft, *, source: Source | str, now: datetime, supersedes: tuple[str, ...] = ()) -> Entry:
    """The entry that `draft` makes, with its first outcome. InvalidEntry says why it is not worth keeping."""
    origin = Source(source) if isinstance(source, str) else source
    origin = replace(origin, ref=one_line(origin.ref), digest=one_line(origin.digest))
    entry = Entry(
        id=new_ulid(now),
        title=one_line(draft.title),
        category=draft.category,
        action=tidy(draft.action),
        result=tidy(draft.result),
        context=tidy(draft.context),
        why=tidy(draft.why),
        tags=tuple(dict.fromkeys(tag for tag in (one_line(tag).lower() for tag in draft.tags) if tag)),
        applies_to=scopes(draft.applies_to),
        confidence=draft.confidence,
        supersedes=supersedes,
        valid_until=draft.valid_until,
        source=origin,
        outcomes=(
            Outcome(
                now.astimezone(UTC), one_line(draft.ref) or origin.ref, draft.outcome, note_of(draft.result)
            ),
        ),
    )
    _check_words(entry, draft.outcome)
    _check_substance(entry)
    return entry


def note_of(text: str) -> str:
    """`text` on one line, cut to the length of an outcome's note."""
    line = one_line(text)
    return line if len(line) <= MAX_NOTE else line[: MAX_NOTE - 1].rstrip() + "…"


def check_text(text: str) -> None:
    """InvalidEntry when `text` cannot stand in a file of the bank."""
    if re.search("[\x00\ud800-\udfff]", text):
        raise InvalidEntry("The entry holds a NUL byte or half a surrogate pair; remove it.")
    if conflict_line(text) is not None:
        raise InvalidEntry("The entry holds git conflict markers, which would make its file look unmerged.")


def check_word(value: str, words: tuple[str, ...], name: str) -> None:
    """InvalidEntry unless `value` is one of `words`."""
    if value not in words:
        raise InvalidEntry(f"The {name} must be one of {', '.join(words)}; found '{value}'.")


def _check_words(entry: Entry, outcome: str) -> None:
    check_word(entry.category, CATEGORIES, "category")
    check_word(entry.confidence, CONFIDENCES, "confidence")
    check_word(outcome, RESULTS, "outcome")


def _check_substance(entry: Entry) -> None:
    if not entry.title or len(entry.title) > MAX_TITLE:
        raise InvalidEntry(f"The entry needs a title of at most {MAX_TITLE} characters.")
    if not entry.source.ref:
        raise InvalidEntry("The entry needs a source: the session, tool result or person it comes from.")
    if _empty(entry.action):
        raise InvalidEntry("The entry has no action: say what was done, concretely enough to do it again.")
    if _empty(entry.result):
        raise InvalidEntry(
            "The entry has no result: say what came of the action, with a figure or an observation."
        )
    size = sum(len(text) for text in (entry.context, entry.action, entry.result, entry.why))
    if size > MAX_BODY:
        raise InvalidEntry(
            f"The entry is {size} characters long; keep it under {MAX_BODY} and name where the rest is."
        )


def _empty(text: str) -> bool:
    """A placeholder says nothing: a lone filler word, or nothing with a letter in it."""
    bare = text.strip(" .!?\n\t-*").casefold()
    return len(bare) < 4 or bare in _PLACEHOLDERS or not re.search(r"[^\W_]", bare)
