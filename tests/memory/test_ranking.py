from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count

import pytest

from memory import Draft, Entry, Outcome
from memory.draft import scopes, to_entry
from memory.ranking import Candidate, Recalled, rank

NUMBERS = count()


@pytest.fixture
def entry(draft: Draft, now: datetime) -> Entry:
    return to_entry(draft, source="s", now=now)


def ranked(*candidates: Candidate, now: datetime, limit: int = 5, **target: str) -> list[Recalled]:
    return rank(candidates, scopes(target), limit=limit, now=now)


def another(entry: Entry, **changes: object) -> Entry:
    """`entry` under an id of its own, with `changes`."""
    number = next(NUMBERS)
    mark = "X" if entry.id[-3] != "X" else "Y"  # the fixture's own id ends at random
    return replace(entry, id=f"{entry.id[:-3]}{mark}{number:02d}", **changes)  # pyright: ignore[reportArgumentType] - any fields


def test_a_fix_that_failed_sinks_and_warns(entry: Entry, now: datetime) -> None:
    failed = another(entry, outcomes=(Outcome(now, "dep-1", "failed", "locked the table"),))
    first, second = ranked(Candidate(failed, 1.2), Candidate(entry, 1.0), now=now)
    assert (first.entry, second.entry) == (entry, failed)
    assert first.warning is None
    assert second.warning == "Failed on 2026-11-22 (dep-1), worked 0, failed 1: locked the table"


def test_a_fix_that_worked_since_still_tells_of_its_failure(entry: Entry, now: datetime) -> None:
    outcomes = (
        Outcome(now, "a", "failed"),
        *(Outcome(now + timedelta(days=n), "b", "worked") for n in (1, 2, 3)),
    )
    mixed = another(entry, outcomes=outcomes)
    (only,) = ranked(Candidate(mixed, 1.0), now=now)
    assert only.warning == "Failed on 2026-11-22 (a), worked 3, failed 1."
    assert "worked 3x, failed 1x" in only.why


def test_one_past_its_date_sinks_and_says_so(entry: Entry, now: datetime) -> None:
    expired = another(entry, valid_until=date(2026, 11, 21))
    today = another(entry, valid_until=date(2026, 11, 22))
    result = ranked(Candidate(expired, 1.5), Candidate(today, 1.0), now=now)
    assert [one.entry for one in result] == [today, expired]
    assert "expired on 2026-11-21: check before use" in result[1].why
    assert not any("expired" in reason for reason in result[0].why)


def test_a_superseded_entry_never_stands_above_its_successors(entry: Entry, now: datetime) -> None:
    last = another(entry, confidence="low", outcomes=(Outcome(now, "", "failed"),))
    middle, first = another(entry), another(entry)
    result = ranked(
        Candidate(first, 9.0, middle.id), Candidate(middle, 9.0, last.id), Candidate(last, 2.0), now=now
    )
    assert [one.entry for one in result] == [last, middle, first]
    assert [one.superseded_by for one in result] == [None, last.id, middle.id]


def test_entries_that_supersede_each_other_do_not_hang(entry: Entry, now: datetime) -> None:
    one, two = another(entry), another(entry)
    assert len(ranked(Candidate(one, 1.0, two.id), Candidate(two, 1.0, one.id), now=now)) == 2


def test_what_applies_to_the_target_comes_first_and_says_why(entry: Entry, now: datetime) -> None:
    elsewhere = another(entry, applies_to=scopes({"service": "render"}))
    anywhere = another(entry, applies_to=scopes({}))
    candidates = [Candidate(one, 1.0) for one in (elsewhere, anywhere, entry)]
    result = ranked(*candidates, now=now, service="Postgres", table="patient_clinical_events")
    assert [one.entry for one in result] == [entry, anywhere, elsewhere]
    assert "applies to table patient_clinical_events" in result[0].why
    assert "is about service render" in result[2].why


def test_retired_and_barely_related_entries_are_left_out(entry: Entry, now: datetime) -> None:
    retired = Candidate(another(entry, status="retired"), 5.0)
    faint = Candidate(another(entry), 0.1)
    assert [one.entry for one in ranked(retired, faint, Candidate(entry, 1.0), now=now)] == [entry]


def test_newer_and_surer_entries_win_a_tie(entry: Entry, now: datetime) -> None:
    old = another(entry, outcomes=(Outcome(now - timedelta(days=900), "", "worked"),))
    unsure = another(entry, confidence="low")
    result = ranked(Candidate(unsure, 1.0), Candidate(old, 1.0), Candidate(entry, 1.0), now=now)
    assert [one.entry for one in result] == [entry, old, unsure]


def test_the_limit_keeps_the_best_and_nothing_gives_nothing(entry: Entry, now: datetime) -> None:
    candidates = [Candidate(another(entry), 1.0 + number) for number in range(4)]
    assert [one.entry for one in ranked(*candidates, now=now, limit=1)] == [candidates[3].entry]
    assert ranked(now=now) == []
