from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from memory import Bank, Banks, BankUnavailable, Draft, InvalidEntry, UnknownEntry
from memory.files import INDEX_NAME


@pytest.fixture
def below(tmp_path: Path, now: datetime) -> Bank:
    """A read-only bank with one entry."""
    folder = tmp_path / "below"
    draft = Draft(
        "Wrap auth.uid() in policies",
        "database-optimizations",
        "Wrote (select auth.uid()) in the policies.",
        "One InitPlan.",
        applies_to={"service": "supabase"},
    )
    Bank(folder).add(draft, source="documentation", now=now)
    return Bank(folder, read_only=True)


@pytest.fixture
def banks(bank: Bank, below: Bank) -> Banks:
    return Banks(bank, [below])


def titles(banks: Banks, query: str, now: datetime, **target: str) -> list[str]:
    return [one.entry.title for one in banks.recall(query, now=now, applies_to=target)]


def test_recall_sees_every_bank_and_writes_its_index_only_above(
    banks: Banks, bank: Bank, below: Bank, draft: Draft, now: datetime
) -> None:
    banks.add(draft, source="s", now=now)
    (below.root / INDEX_NAME).unlink()  # from when it was written
    query = "timeline index, or auth.uid() in a policy?"
    assert set(titles(banks, query, now)) == {draft.title, "Wrap auth.uid() in policies"}
    assert (bank.root / INDEX_NAME).exists()
    assert not (below.root / INDEX_NAME).exists()


def test_recall_works_before_anything_was_saved(banks: Banks, bank: Bank, now: datetime) -> None:
    assert titles(banks, "auth.uid() slow", now) == ["Wrap auth.uid() in policies"]
    assert not bank.root.exists()


def test_recall_explains_itself(banks: Banks, now: datetime) -> None:
    (one,) = banks.recall("auth.uid() is slow", now=now, applies_to={"service": "supabase"})
    assert one.why == ("matches auth_uid", "applies to service supabase", "worked 1x")
    assert one.score > 0


def test_an_empty_query_returns_what_applies_to_the_target(banks: Banks, draft: Draft, now: datetime) -> None:
    banks.add(draft, source="s", now=now)
    assert titles(banks, "", now, service="supabase") == ["Wrap auth.uid() in policies"]
    assert titles(banks, "what is it", now, table="patient_clinical_events") == [draft.title]
    assert titles(banks, "", now) == []
    with pytest.raises(InvalidEntry, match="scope 'My Table'"):
        banks.recall("x", now=now, applies_to={"My Table": "x"})


def test_a_superseded_entry_brings_its_successor_though_it_does_not_match(
    banks: Banks, draft: Draft, now: datetime
) -> None:
    old = banks.add(draft, source="s", now=now).entry
    better = Draft("Partitioned by month", draft.category, "Split it by occurred_at.", "Pruned to one month.")
    new = banks.supersede(old.id, better, source="s", now=now).entry
    first, second = banks.recall("timeline query", now=now)
    assert (first.entry.id, second.entry.id, second.superseded_by) == (new.id, old.id, new.id)


def test_an_outcome_on_a_lower_entry_is_kept_above(
    banks: Banks, bank: Bank, below: Bank, now: datetime
) -> None:
    (entry,) = below.entries()
    banks.record_outcome(entry.id, "failed", now=now, ref="dep-1", note="no gain")
    assert below.entries() == (entry,)
    assert bank.get(entry.id).outcomes[:-1] == entry.outcomes
    (one,) = banks.recall("auth.uid() policies", now=now)
    assert one.warning == "Failed on 2026-11-22 (dep-1), worked 1, failed 1: no gain"
    assert len(banks.entries()) == 1


def test_a_lower_entry_can_be_retired_and_superseded_above(
    banks: Banks, below: Bank, draft: Draft, now: datetime
) -> None:
    (entry,) = below.entries()
    new = banks.supersede(entry.id, draft, source="s", now=now).entry
    assert [one.entry.id for one in banks.recall("auth.uid() policies", now=now)] == [new.id, entry.id]
    banks.retire(entry.id, "We use other policies.")
    assert titles(banks, "auth.uid() policies", now) == []


def test_without_a_writable_bank_everything_can_be_read(below: Bank, draft: Draft, now: datetime) -> None:
    banks = Banks(None, [below])
    assert titles(banks, "auth.uid()", now) == ["Wrap auth.uid() in policies"]
    with pytest.raises(BankUnavailable, match="no memory bank to write to"):
        banks.add(draft, source="s", now=now)
    with pytest.raises(UnknownEntry):
        banks.get("01M808TX00693XAWKJNQXB21C8")


def test_what_the_caller_refuses_is_not_recalled(bank: Bank, draft: Draft, now: datetime) -> None:
    bank.add(replace(draft, why="Jane asked for it."), source="s", now=now)
    open_banks = Banks(bank)
    assert titles(open_banks, "timeline", now) == [draft.title]
    careful = Banks(Bank(bank.root, refuse=lambda text: "A patient." if "Jane" in text else None))
    assert titles(careful, "timeline", now) == []
    assert [problem.message for problem in careful.problems()] == ["A patient."]


def test_what_a_lower_bank_already_says_becomes_an_outcome_above(
    banks: Banks, bank: Bank, below: Bank, now: datetime
) -> None:
    (known,) = below.entries()
    again = Draft(known.title, known.category, known.action, "Still slow.", outcome="failed")
    saved = banks.add(again, source="s", now=now)
    assert saved.merged
    assert bank.entries() == (saved.entry,)
    assert (saved.entry.id, saved.entry.count("failed")) == (known.id, 1)
    assert below.entries() == (known,)


def test_a_bank_is_written_when_its_place_is_named(
    tmp_path: Path, bank: Bank, below: Bank, draft: Draft, now: datetime
) -> None:
    team = Bank(tmp_path / "team")
    banks = Banks(bank, [team, below], places={"workspace": bank, "team": team})
    here = banks.add(draft, source="s", now=now).entry
    there = banks.in_place("team").add(replace(draft, action="Partitioned it."), source="s", now=now).entry
    assert (bank.entries(), team.entries()) == ((here,), (there,))
    assert [banks.place_of(one.id) for one in (here, there, *below.entries())] == ["workspace", "team", ""]
    assert set(titles(banks, "timeline", now)) == {draft.title}
    banks.in_place("team").record_outcome(there.id, "failed", now=now)
    assert team.get(there.id).count("failed") == 1
    banks.record_outcome(there.id, "failed", now=now)
    assert (team.get(there.id).count("failed"), bank.get(there.id).count("failed")) == (1, 2)
    with pytest.raises(BankUnavailable, match=r"no memory bank called 'moon' \(workspace, team\)"):
        banks.in_place("moon")


def test_a_missing_folder_is_a_problem_only_where_one_is_expected(tmp_path: Path) -> None:
    assert Bank(tmp_path / "none").problems() == ()
    (problem,) = Bank(tmp_path / "none", expected=True).problems()
    assert "no such folder" in problem.message
