from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from memory import Bank, Banks, Draft, Entry
from memory.briefing import RELEVANT, brief, concerns, tokens_of
from memory.draft import to_entry
from memory.ranking import Recalled


@pytest.fixture
def entry(draft: Draft, now: datetime) -> Entry:
    return to_entry(draft, source="s", now=now)


@pytest.fixture
def banks(bank: Bank, draft: Draft, now: datetime) -> Banks:
    bank.add(draft, source="s", now=now)
    for number in range(12):
        other = Draft(f"Rotation of key {number}", "handoffs", f"Rotated key {number}.", "Deploys go on.")
        bank.add(other, source="s", now=now)
    return Banks(bank)


def recalled(entry: Entry, relevance: float = 1.0, **rest: object) -> Recalled:
    return replace(Recalled(entry, 1.0, (), relevance=relevance), **rest)  # pyright: ignore[reportArgumentType] - any fields


def test_a_brief_tells_title_action_and_warning(entry: Entry) -> None:
    told = brief([recalled(entry, warning="Failed on 2026-11-01: locked.")], budget_tokens=500)
    assert told.text == (
        f"- {entry.title} [{entry.id[-8:].lower()}]: {entry.action}\n  Beware: Failed on 2026-11-01: locked."
    )
    assert [one.entry for one in told.entries] == [entry]
    assert told.tokens == tokens_of(told.text)


def test_a_brief_keeps_its_budget_and_cuts_before_it_drops(entry: Entry) -> None:
    long = replace(entry, action="word " * 300)
    many = [recalled(replace(long, title=f"Entry {number}")) for number in range(5)]
    for budget in (0, 60, 120, 250, 1000):
        told = brief(many, budget_tokens=budget)
        assert told.tokens <= budget
    assert len(brief(many, budget_tokens=1000).entries) == 5
    assert brief(many, budget_tokens=60).text.endswith("…")
    assert brief(many, budget_tokens=10).text == ""


def test_a_brief_leaves_out_what_barely_matters_and_what_was_superseded(entry: Entry) -> None:
    faint = recalled(entry, RELEVANT - 0.01)
    old = recalled(entry, superseded_by="01M6A7B8X0WHV6XMWP7347KNDK")
    assert brief([faint, old], budget_tokens=500).text == ""
    assert brief([], budget_tokens=500).entries == ()


def test_a_turn_is_told_what_fits_and_nothing_when_nothing_does(banks: Banks, now: datetime) -> None:
    told = banks.brief("the timeline query is slow", now=now)
    assert "index on patient_clinical_events" in told.text
    assert banks.brief("translate the brochure into Portuguese", now=now).text == ""
    assert banks.brief("how are you", now=now).text == ""
    assert banks.brief("the timeline query is slow", now=now, budget_tokens=5).text == ""


def test_past_failures_on_the_same_object_are_told_latest_first(
    banks: Banks, bank: Bank, draft: Draft, now: datetime
) -> None:
    (entry,) = (one for one in bank.entries() if one.title == draft.title)
    assert banks.warnings_for(["patient_clinical_events"]) == ()
    bank.record_outcome(entry.id, "failed", now=now, ref="dep-1", note="locked the table for 40 s")
    (failure,) = banks.warnings_for(["public.patient_clinical_events", "other"])
    assert (failure.entry.id, failure.name) == (entry.id, "public.patient_clinical_events")
    assert "locked the table for 40 s" in failure.text
    assert failure.last_failed == now.date()
    assert banks.warnings_for(["patient_clinical"]) == ()
    assert banks.warnings_for([]) == ()


def test_a_failure_is_not_hidden_behind_many_successes_on_the_object(
    bank: Bank, draft: Draft, now: datetime
) -> None:
    for number in range(40):
        one = replace(draft, title=f"patient_clinical_events {number}", action=f"Did step {number} on it.")
        bank.add(one, source="s", now=now)
    failed = replace(
        draft, title="Swap", action="Swapped the partitions.", outcome="failed", result="Locked."
    )
    entry = bank.add(failed, source="s", now=now).entry
    assert [one.entry.id for one in Banks(bank).warnings_for(["patient_clinical_events"])] == [entry.id]


@pytest.mark.parametrize(
    ("text", "name", "about"),
    [
        ("ALTER TABLE events ADD COLUMN x int", "events", True),
        ("`events` was locked", "public.events", True),
        ("Rewrote public.events in place", "events", True),
        ("The events of last night", "events", False),
        ("Deployed srv-abc123 again", "srv-abc123", True),
        ("Deployed srv-abc1234 again", "srv-abc123", False),
        ("Ran 20260401_add_doses.sql", "20260401_add_doses", True),
        ("Locked care_events", "events", False),
    ],
)
def test_an_entry_concerns_an_object_that_it_names_as_one(
    entry: Entry, text: str, name: str, about: bool
) -> None:
    plain = replace(entry, title="A title", applies_to={}, action=text, tags=())
    assert concerns(plain, name) is about
