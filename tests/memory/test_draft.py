from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from memory import Draft
from memory.draft import MAX_BODY, scopes, to_entry
from memory.errors import InvalidEntry


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"action": " "}, "has no action"),
        ({"action": "TBD."}, "has no action"),
        ({"result": ""}, "has no result"),
        ({"result": "- worked\n"}, "has no result"),
        ({"result": "?!---"}, "has no result"),
        ({"title": "\n"}, "needs a title"),
        ({"title": "x" * 161}, "needs a title of at most 160"),
        ({"why": "x" * MAX_BODY}, "keep it under"),
        ({"category": "misc"}, "category must be one of deployment-patterns"),
        ({"confidence": "sure"}, "confidence must be one of"),
        ({"outcome": "great"}, "outcome must be one of worked"),
        ({"applies_to": {"My Table": "x"}}, "scope 'My Table'"),
    ],
)
def test_junk_is_refused_with_the_reason(
    draft: Draft, now: datetime, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidEntry) as caught:
        to_entry(replace(draft, **changes), source="session 1", now=now)
    assert sentence in str(caught.value)


def test_an_entry_needs_a_source(draft: Draft, now: datetime) -> None:
    with pytest.raises(InvalidEntry, match="needs a source"):
        to_entry(draft, source=" ", now=now)


def test_a_draft_becomes_an_entry_with_its_first_outcome(draft: Draft, now: datetime) -> None:
    given = replace(draft, title=" Two\n lines ", tags=("RLS", "rls ", ""), outcome="failed", ref="dep-1")
    entry = to_entry(given, source="session 1", now=now)
    assert (entry.title, entry.tags, str(entry.source)) == ("Two lines", ("rls",), "session 1")
    (outcome,) = entry.outcomes
    assert (outcome.when, outcome.ref, outcome.result, outcome.note) == (now, "dep-1", "failed", draft.result)


def test_scopes_take_one_name_or_many() -> None:
    assert dict(scopes({"service": "postgres", "table": ["a", "a", " b "], "project": ()})) == {
        "service": ("postgres",),
        "table": ("a", "b"),
    }
