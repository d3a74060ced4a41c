"""What the bank already says about the thing that is to be remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from memory import RESULTS, Banks, Draft, Entry, Source
from memory.draft import to_entry

_NEAR = 3
_CLOSE = 0.5
"""Share of a lesson's meaning that another entry must carry to be shown beside it."""


@dataclass(frozen=True, slots=True)
class Known:
    """`touches`: the entries at hand, a line each. `consequence`: what the new one would do to them."""

    touches: tuple[str, ...]
    consequence: str


def look(bank: Banks, draft: Draft, source: Source | str, now: datetime) -> Known:
    """What the bank has on this already. Reads the disk. Raises InvalidEntry for a draft that is junk."""
    entry = to_entry(draft, source=source, now=now)
    same = bank.writable.duplicate_of(entry) if bank.writable else None
    found = bank.recall(f"{draft.title}\n{draft.action}", now=now, applies_to=draft.applies_to, limit=_NEAR)
    near = [
        one.entry
        for one in found
        if one.relevance >= _CLOSE and (same is None or one.entry.id != same.id) and _shares(one.entry, entry)
    ]
    against = [one for one in (*([same] if same else []), *near) if _contradicts(one, draft)]
    said: list[str] = []
    if same:
        said.append(f"Not a new entry: one more outcome ({draft.outcome}) of '{same.title}'.")
    if against:
        said.append(
            "CONTRADICTS what is remembered: "
            + "; ".join(f"'{one.title}' {_history(one)}" for one in against)
            + f"; this one says {draft.outcome}."
        )
    lines = [
        f"{'the same' if one is same else 'near'}: {_line(one)}" for one in (*([same] if same else []), *near)
    ]
    return Known(tuple(lines), " ".join(said))


def _shares(old: Entry, new: Entry) -> bool:
    """Whether both are about one object, where both name theirs."""
    if not old.applies_to or not new.applies_to:
        return True
    names = {name.casefold() for given in old.applies_to.values() for name in given}
    return any(name.casefold() in names for given in new.applies_to.values() for name in given)


def _contradicts(old: Entry, draft: Draft) -> bool:
    opposite = {"worked": "failed", "failed": "worked"}.get(draft.outcome)
    return old.status == "active" and any(one.result == opposite for one in old.outcomes)


def _line(entry: Entry) -> str:
    status = "" if entry.status == "active" else f", {entry.status}"
    return f"{entry.title} [{entry.id[-8:].lower()}]{status} {_history(entry)}".rstrip()


def _history(entry: Entry) -> str:
    return ", ".join(f"{word} {entry.count(word)}x" for word in RESULTS if entry.count(word))
