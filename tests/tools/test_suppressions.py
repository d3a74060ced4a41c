"""Suppressions hold for their objects, to the end of their last day, and are said when they ended."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agent.settings import read_project_file
from tools.errors import ConfigurationError
from tools.findings import Finding, Level
from tools.resources import Suppression
from tools.suppressions import sift

LAST = date(2030, 6, 30)


def finding(name: str = "public.inbox") -> Finding:
    return Finding(
        rule="rls_enabled_no_policy",
        level=Level.INFO,
        domain="rls",
        object=name,
        message="x",
        evidence="seen",
    )


def decision(about: str = "public.inbox", until: date | None = LAST) -> Suppression:
    return Suppression("rls_enabled_no_policy", about, "only the service role writes.", until)


@pytest.mark.parametrize(
    ("today", "counts"), [(date(2030, 6, 29), 0), (LAST, 0), (date(2030, 7, 1), 1), (None, 0)]
)
def test_a_suppression_holds_through_its_last_day(today: date | None, counts: int):
    kept, suppressed = sift([finding()], [decision()], today)
    assert (len(kept), suppressed) == (counts, 1 - counts)
    if kept:
        said = "seen\nIt was suppressed until 2030-06-30 (only the service role writes)."
        assert kept[0].evidence == said and kept[0].cache_key == finding().cache_key


def test_one_that_holds_wins_over_one_that_ended():
    after = date(2031, 1, 1)
    assert sift([finding()], [decision(), decision("*", None)], after) == ([], 1)
    assert sift([finding("public.other")], [decision()], after) == ([finding("public.other")], 0)


def test_until_is_read_from_the_file_and_a_wrong_date_is_one_sentence(tmp_path: Path):
    file = tmp_path / "sergei.toml"
    text = '[[suppress]]\nrule = "x"\nreason = "because"\nuntil = '
    for written in ("2030-06-30", '"2030-06-30"'):
        file.write_text(text + written)
        assert read_project_file(file).suppress[0].until == LAST
    file.write_text(text + '"next summer"')
    with pytest.raises(ConfigurationError, match=r"suppress.0.until` must be a day such as 2030-12-31"):
        read_project_file(file)
