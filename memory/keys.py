"""What an entry can be looked up by, without reading every file (see `memory.lookup`)."""

from __future__ import annotations

from memory.entry import Entry
from memory.similar import repeat_keys
from memory.ulid import TAIL


def keys_of(entry: Entry) -> list[str]:
    """Every key that leads to this entry."""
    olds = [succession_key(old) for old in entry.supersedes]
    return [id_key(entry.id), id_key(entry.id[-TAIL:]), *olds, *repeat_keys(entry)]


def id_key(entry_id: str) -> str:
    """The key of an id, or of its end."""
    return f"id {entry_id}"


def succession_key(old_id: str) -> str:
    """The key of what supersedes `old_id`."""
    return f"supersedes {old_id}"
