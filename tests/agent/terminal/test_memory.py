"""/memory in a conversation: the same bank, the same code, the same words as `sergei memory`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from memory import Bank, Draft, usage
from memory.ulid import tail
from tests.agent.terminal.conftest import Open, Place

NOW = datetime.now(UTC)


@pytest.fixture
def bank(place: Place) -> Bank:
    return Bank(place.workspace / ".sergei" / "memory")


def remember(bank: Bank, title: str) -> str:
    draft = Draft(title, "performance-tuning", f"Did {title} as told.", "It took 14 ms.")
    return tail(bank.add(draft, source="a test", now=NOW - timedelta(days=2)).entry.id)


def test_a_person_reads_records_and_retires(chat: Open, place: Place, bank: Bank):
    entry = remember(bank, "Raise work_mem for the census report")
    terminal = chat(None)
    terminal.types("/memory")
    terminal.sees("performance-tuning", entry, "Raise work_mem", "security-configurations")
    terminal.types("/memory census report")
    terminal.sees(entry, "matches")
    terminal.types(f"/memory show {entry}")
    terminal.sees("Raise work_mem", "Action", "Did Raise work_mem")
    terminal.types(f"/memory outcome {entry} failed out of memory")
    terminal.sees("Recorded", "worked 1x, failed 1x")
    terminal.types(f"/memory retire {entry}")
    terminal.sees("needs a reason")
    terminal.types(f"/memory retire {entry} the report is gone")
    terminal.sees("Retired")
    terminal.types("/memory outcome")
    terminal.sees("What came of which entry")
    terminal.types("/memory show nonsense")
    terminal.sees("has no entry")
    assert terminal.leaves() == 0
    after = bank.get(entry)
    assert after.outcomes[-1].note == "out of memory" and after.outcomes[-1].ref.startswith("session ")
    assert (after.status, after.retired_because) == ("retired", "the report is gone")
    counted = usage.read(place.state / "recalled.sqlite", bank.root)
    assert counted.times(after.id) == 1


def test_switched_off_it_says_so(chat: Open):
    terminal = chat(None, SERGEI_MEMORY="off")
    terminal.types("/memory")
    terminal.sees("The memory bank is switched off.")
    assert terminal.leaves() == 0
