from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from memory import Draft, Entry
from memory.draft import to_entry
from memory.similar import find_duplicate

ACTION = "Raised work_mem to 64 MB for the reporting role because sorts of the report spilled to disk"


@pytest.fixture
def entry_of(now: datetime) -> Callable[[Draft], Entry]:
    return lambda draft: to_entry(draft, source="s", now=now)


@pytest.fixture
def report() -> Draft:
    return Draft(
        "Reporting sorts spill to disk",
        "performance-tuning",
        ACTION,
        "No temp files",
        applies_to={"service": "postgres"},
    )


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"title": "REPORTING  sorts spill to disk!"}, True),
        ({"applies_to": {"service": ["Postgres"]}, "action": ACTION.replace("because", "as the")}, True),
        ({"applies_to": {"service": "render"}}, True),  # word for word the same, only scoped differently
        ({"applies_to": {"service": "render"}, "action": ACTION + " tables"}, False),
        ({"action": ACTION.replace("64", "128")}, False),
        ({"action": ACTION.replace("work_mem", "maintenance_work_mem")}, False),
        ({"action": ACTION.replace("Raised", "Lowered")}, False),
        ({"action": "Do not do this: " + ACTION}, False),
        ({"category": "problem-solutions", "action": ACTION + " tables"}, False),
        ({"title": "Nightly vacuum", "action": "Moved the vacuum of big tables to the night"}, False),
    ],
)
def test_only_what_says_the_same_is_a_duplicate(
    report: Draft, entry_of: Callable[[Draft], Entry], changes: dict[str, object], same: bool
) -> None:
    old = entry_of(report)
    new = entry_of(replace(report, **changes))  # pyright: ignore[reportArgumentType] - a table of any fields
    assert (find_duplicate(new, [old]) is old) == same


def test_an_active_twin_comes_before_a_retired_one(report: Draft, entry_of: Callable[[Draft], Entry]) -> None:
    retired, active = replace(entry_of(report), status="retired"), entry_of(report)
    assert find_duplicate(entry_of(report), [retired, active]) is active
