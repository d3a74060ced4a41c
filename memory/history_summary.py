"""What a change did to an entry, in a few words."""

from __future__ import annotations

from dataclasses import fields

from memory.entry import Entry, parse_entry
from memory.errors import InvalidEntry

_SHORT = 80


def summary_of(before: str | None, after: str | None) -> str:
    """From the text `before` to the text `after`; None: there was no such file."""
    if after is None:
        return "the file was removed"
    old, new = _entry(before), _entry(after)
    if new is None:
        return "the text is no entry"
    if before is None:
        return f"new entry in {new.category}"
    if old is None:
        return "the text became an entry again"
    said = [*_outcomes(old, new), *_words(old, new)]
    rest = [
        one.name.replace("_", " ")
        for one in fields(Entry)
        if one.name not in _TOLD and getattr(old, one.name) != getattr(new, one.name)
    ]
    if rest:
        said.append(f"changed {', '.join(rest)}")
    return "; ".join(said) or "only notes, keys or spacing that Sergei does not read"


_TOLD = frozenset({"outcomes", "status", "confidence", "category", "retired_because"})


def _outcomes(old: Entry, new: Entry) -> list[str]:
    kept = len(old.outcomes)
    if new.outcomes[:kept] != old.outcomes:
        return ["changed the outcomes"]
    return [
        f"outcome {one.result}" + (f" ({_cut(one.ref)})" if one.ref else "") for one in new.outcomes[kept:]
    ]


def _words(old: Entry, new: Entry) -> list[str]:
    said: list[str] = []
    for name in ("status", "confidence", "category"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            said.append(f"{name} {was} to {now}")
    if new.retired_because and new.retired_because != old.retired_because:
        said.append(f"because: {_cut(new.retired_because)}")
    return said


def _cut(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1].rstrip() + "…"


def _entry(text: str | None) -> Entry | None:
    try:
        return None if text is None else parse_entry(text)
    except InvalidEntry:
        return None
