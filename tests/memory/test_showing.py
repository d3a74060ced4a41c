from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from memory import Draft, Recalled, as_markdown, recalled_as_markdown
from memory.draft import to_entry


def test_an_entry_shows_everything_a_reader_needs(draft: Draft, now: datetime) -> None:
    entry = to_entry(
        replace(draft, why="Seq scan.", valid_until=date(2027, 1, 1)), source="session 1", now=now
    )
    retired = replace(entry, status="retired", retired_because="Gone.", id="01M808TX00693XAWKJNQXB21C8")
    assert (
        as_markdown(retired)
        == """\
# Timeline query: index on patient_clinical_events

01M808TX00693XAWKJNQXB21C8 · database-optimizations · confidence medium · retired · service: postgres · \
table: patient_clinical_events · valid until 2027-01-01 · tags: index, timeline · source: session 1

Retired: Gone.

## Action

Created an index on (profile_id, occurred_at desc) concurrently.

## Result

p95 of the timeline fell from 820 ms to 14 ms.

## Why

Seq scan.

## Outcomes (1 worked)

- 2026-11-22 worked (session 1): p95 of the timeline fell from 820 ms to 14 ms.
"""
    )


def test_a_recalled_entry_shows_why_and_what_to_beware_of_first(draft: Draft, now: datetime) -> None:
    entry = to_entry(draft, source="session 1", now=now)
    text = recalled_as_markdown(Recalled(entry, 1.0, ("matches index",), "Failed once.", "01NEW"))
    head = text.split("\n\n")[:4]
    assert head == [
        f"# {draft.title}",
        "Why: matches index",
        "Warning: Failed once.",
        "Superseded by 01NEW: read that one instead.",
    ]
