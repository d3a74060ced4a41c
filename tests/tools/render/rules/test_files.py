"""Rules on render.yaml alone: silent on a clean file, one finding when broken, none on look-alikes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.tools.render.rules.files import CASES, CLEAN, Case, changed
from tools.findings import Finding
from tools.render.blueprint.file import read_blueprint
from tools.render.inventory import Inventory
from tools.render.inventory_declared import with_file
from tools.render.review_render import findings_of

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def findings(text: str, rule: str = "") -> list[Finding]:
    inventory = with_file(Inventory(now=NOW), read_blueprint(text))
    return [one for one in findings_of(inventory) if rule in ("", one.rule)]


def test_the_clean_file_has_no_findings() -> None:
    assert [(one.rule, one.message) for one in findings(CLEAN)] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.object}")
def test_a_broken_file_gives_one_finding(case: Case) -> None:
    text = changed(case.broken)
    found = findings(text, case.rule)
    assert [one.object for one in found] == [case.object]
    finding = found[0]
    assert finding.message.endswith((".", "?")) and finding.evidence and finding.fix
    assert finding.file == "render.yaml" and 0 < finding.line <= len(text.splitlines())
    assert f"line {finding.line}" in finding.evidence
    assert case.line_says in text.splitlines()[finding.line - 1]


@pytest.mark.parametrize(
    ("case", "look_alike"),
    [(case, number) for case in CASES for number in range(len(case.fine))],
    ids=lambda value: value.rule if isinstance(value, Case) else str(value),
)
def test_a_look_alike_stays_silent(case: Case, look_alike: int) -> None:
    assert [one.message for one in findings(changed(case.fine[look_alike]), case.rule)] == []


def test_no_secret_is_shown() -> None:
    for case in CASES:
        if case.rule.startswith("secret_"):
            text = changed(case.broken)
            value = case.broken[0][1].rpartition("value: ")[2]
            shown = repr([(one.message, one.evidence, one.fix) for one in findings(text)])
            assert value in text and (value not in shown or value == "postgres")
