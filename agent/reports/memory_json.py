"""Entries of the memory bank for a program. The keys are a contract: add, do not rename."""

from __future__ import annotations

from typing import Any

from memory import RESULTS, Entry
from memory.ulid import tail, ulid_time


def document(entry: Entry, successor: str | None = None) -> dict[str, Any]:
    """The whole entry. Moments are ISO 8601 in UTC; what an entry does not say is null or empty."""
    return {
        "id": entry.id,
        "short": tail(entry.id),
        "title": entry.title,
        "category": entry.category,
        "status": entry.status,
        "confidence": entry.confidence,
        "tags": list(entry.tags),
        "applies_to": {scope: list(names) for scope, names in entry.applies_to.items()},
        "created": ulid_time(entry.id).isoformat(timespec="seconds"),
        "confirmed": entry.confirmed.isoformat() if entry.confirmed else None,
        "valid_until": entry.valid_until.isoformat() if entry.valid_until else None,
        "supersedes": list(entry.supersedes),
        "superseded_by": successor,
        "retired_because": entry.retired_because or None,
        "source": str(entry.source),
        "counts": {result: entry.count(result) for result in RESULTS},
        "context": entry.context,
        "action": entry.action,
        "result": entry.result,
        "why": entry.why,
        "preamble": entry.preamble,
        "outcomes": [
            {"when": one.when.isoformat(), "ref": one.ref, "result": one.result, "note": one.note}
            for one in entry.outcomes
        ],
    }
