"""A third of the incidents whose cause is known, on one seed; `python -m benchmarks.diagnose` has all."""

from __future__ import annotations

import pytest

from benchmarks.diagnose.clinic import clinic
from benchmarks.diagnose.later import LATER
from benchmarks.diagnose.measure import Case, tried
from benchmarks.diagnose.variant import Quiet
from benchmarks.diagnose.variants import VARIANTS
from tools.sandbox.platform import guardian, incidents

SEED = 5
HOURS = 3
CASES: tuple[Case, ...] = (*VARIANTS[::6], *LATER[::6], Quiet("portal"), Quiet("notify"))


@pytest.mark.parametrize("incident", incidents.ALL[SEED % 3 :: 3], ids=lambda each: each.name)
def test_the_cause_is_named_first(incident: Case) -> None:
    found = tried(incident, guardian, SEED, HOURS)
    assert found.named == found.cause, f"the right one is in place {found.rank}"
    assert found.calls < 45


@pytest.mark.parametrize("case", CASES, ids=lambda each: each.name)
def test_in_other_languages_and_on_quiet_days(case: Case) -> None:
    found = tried(case, clinic, SEED, HOURS)
    assert found.named == found.cause, f"the right one is in place {found.rank}"
