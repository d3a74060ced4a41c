"""Which entries come up for review: each reason alone, and none without a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from memory import Draft, Entry, Outcome, starter_bank, usage
from memory.draft import to_entry
from memory.entry import Result
from memory.reviewing import Concern, concerns, last_confirmed
from memory.usage import Usage, Use

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)


def entry(
    title: str, action: str = "Set it as the manual says.", *, days_ago: int = 10, **more: Any
) -> Entry:
    draft: dict[str, Any] = {"category": "performance-tuning", "result": "It took 14 ms."} | more
    return to_entry(Draft(title, action=action, **draft), source="a test", now=NOW - timedelta(days=days_ago))


def having(entry: Entry, *results: Result, days_ago: int = 5) -> Entry:
    later = [Outcome(NOW - timedelta(days=days_ago), "", result) for result in results]
    return replace(entry, outcomes=(*entry.outcomes, *later))


def found(*entries: Entry, counted: Usage = usage.NOTHING) -> list[tuple[str, str]]:
    return [(one.kind, one.entry.title) for one in concerns(entries, counted, NOW)]


def test_a_sound_bank_needs_nobody():
    assert concerns(starter_bank().entries(), usage.NOTHING, NOW.replace(year=2026, month=12)) == ()
    assert found() == []
    assert found(entry("Raise work_mem")) == []


def test_past_its_day_it_is_expired():
    assert found(entry("A", valid_until=date(2030, 5, 31)), entry("B", valid_until=date(2030, 6, 1))) == [
        ("expired", "A")
    ]


@pytest.mark.parametrize(
    ("results", "kind"),
    [
        (("failed",), "contradicting"),
        (("failed", "failed"), "failing"),
        (("failed", "failed", "worked", "worked"), "contradicting"),
        (("worked", "partly"), None),
    ],
)
def test_outcomes_that_fail_or_disagree(results: tuple[Result, ...], kind: str | None):
    assert found(having(entry("A"), *results)) == ([(kind, "A")] if kind else [])


def test_a_lesson_about_a_single_failure_is_a_lesson():
    assert found(entry("Never do it", outcome="failed")) == []


def test_a_confirmation_settles_what_was_before_it():
    doubtful = having(entry("A"), "failed", "failed", days_ago=5)
    assert found(replace(doubtful, confirmed=date(2030, 5, 28))) == []
    assert found(replace(doubtful, confirmed=date(2030, 5, 20))) == [("failing", "A")]


def test_two_that_say_the_opposite_of_each_other():
    action = "{} the transaction pooler on port 6543 for the api service."
    on = entry("Enable the transaction pooler", action.format("Enabled"), applies_to={"service": "api"})
    off = entry("Disable the transaction pooler", action.format("Disabled"), applies_to={"service": "API"})
    both: list[Concern] = list(concerns([on, off], usage.NOTHING, NOW))
    assert {(one.kind, one.entry.id, one.other and one.other.id) for one in both} == {
        ("contradicting", on.id, off.id),
        ("contradicting", off.id, on.id),
    }
    assert found(on, replace(off, applies_to={"service": ("worker",)})) == []
    assert found(on, replace(off, status="retired")) == []
    assert found(on, replace(off, supersedes=(on.id,))) == []
    assert found(*(replace(one, confirmed=NOW.date()) for one in (on, off))) == []


def test_a_word_like_another_is_no_opposite():
    action = "Raised work_mem {} the nightly report of the billing service."
    assert found(*(entry("Raise work_mem", action.format(word)) for word in ("for", "during", "in"))) == []
    assert found(*(entry("Raise work_mem", action.format(word)) for word in ("before", "after"))) != []


def test_the_same_thing_that_only_worked_and_only_failed():
    action = "Raised work_mem to 64MB for the nightly report of the billing service."
    good = entry("Raise work_mem for the nightly report", action)
    bad = entry("Raising work_mem for the nightly report", action, outcome="failed")
    assert sorted(found(good, bad)) == [("contradicting", good.title), ("contradicting", bad.title)]
    assert (
        found(good, replace(bad, title="Something about another matter", action="Dropped the index.")) == []
    )


def test_pairs_are_found_among_many():
    many = [
        entry(f"Tune knob {n} of service {n}", f"Set knob {n} to {n * 7} on host {n}.") for n in range(600)
    ]
    action = "{} the autovacuum of care_events for the nightly load."
    pair = [entry("Autovacuum at night", action.format(word)) for word in ("Disabled", "Enabled")]
    assert found(*many, *pair) == [("contradicting", "Autovacuum at night")] * 2


def test_after_a_year_without_a_word_it_is_unconfirmed():
    old = entry("A", days_ago=400)
    assert found(old) == [("unconfirmed", "A")]
    assert found(having(old, "partly")) == []
    assert found(replace(old, confirmed=date(2030, 1, 1))) == []
    assert last_confirmed(replace(old, confirmed=date(2030, 1, 1))) == datetime(2030, 1, 1, tzinfo=UTC)
    assert found(having(old, "failed")) == [("contradicting", "A")]


def test_unused_counts_from_when_recalls_are_counted():
    used, unused = entry("A", days_ago=200), entry("B", days_ago=200)
    uses = {used.id: Use(1, NOW)}
    assert found(used, unused, counted=Usage(NOW - timedelta(days=120), uses)) == [("unused", "B")]
    assert found(used, unused, counted=Usage(NOW - timedelta(days=80), uses)) == []
    assert found(entry("C", days_ago=80), counted=Usage(NOW - timedelta(days=120), uses)) == []
    assert found(unused, counted=usage.NOTHING) == []


def test_only_what_is_active_comes_up_and_the_gravest_first():
    retired = replace(entry("R", days_ago=900), status="retired")
    superseded = entry("S", days_ago=900)
    new = entry("N")
    late = entry("E", valid_until=date(2030, 1, 1))
    old = entry("O", days_ago=500)
    assert found(old, retired, superseded, replace(new, supersedes=(superseded.id,)), late) == [
        ("expired", "E"),
        ("unconfirmed", "O"),
    ]
