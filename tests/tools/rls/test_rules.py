"""Every rule: silent on a clean schema, one finding when broken, none after its fix, none on look-alikes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tools.rls.cases import CASES, Case
from tests.tools.rls.more_cases import MORE
from tests.tools.rls.reading import Connection, findings_of
from tests.tools.rls.sibling_cases import SIBLINGS
from tools.findings import Finding
from tools.rls import rules
from tools.rls.rules import RULES

EVERY = (*CASES, *MORE, *SIBLINGS)
MEASURED = {"rls_table_seq_scanned"}
"""Rules over statistics, which a transaction does not show: they have tests of their own."""
SECTIONS = ("What it finds", "Why it matters", "Fix", "When to ignore")


def test_the_clean_family_schema_has_no_findings(family: Connection) -> None:
    assert [finding.message for finding in findings_of(family)] == []


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.rule)
def test_a_broken_schema_gives_one_finding_and_its_fix_takes_it_away(family: Connection, case: Case) -> None:
    family.execute(case.broken)
    found = said(family, case)
    assert [finding.object for finding in found] == [case.object]
    finding = found[0]
    assert finding.message.endswith(".") and finding.evidence and finding.fix
    if is_runnable(finding.fix):
        family.execute(finding.fix.replace(" concurrently", "").encode())
        assert [f.object for f in said(family, case)] == []


@pytest.mark.parametrize(
    ("case", "look_alike"),
    [(case, number) for case in EVERY for number in range(len(case.fine))],
    ids=lambda value: value.rule if isinstance(value, Case) else str(value),
)
def test_a_look_alike_stays_silent(family: Connection, case: Case, look_alike: int) -> None:
    family.execute(case.fine[look_alike])
    assert [f.message for f in said(family, case)] == []


def test_tuple_files_documentation_and_cases_agree() -> None:
    names = [rule.name for rule in RULES]
    files = {path.stem for path in Path(rules.__file__).parent.glob("*.py")} - {"__init__"}
    assert len(names) == len(set(names))
    assert set(names) == files
    assert set(names) - MEASURED == {case.rule for case in EVERY}
    assert {case.rule for case in EVERY if case.fine} == {case.rule for case in EVERY}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_documented_in_four_sections(rule: rules.Rule[rules.Snapshot]) -> None:
    lines = rule.doc.splitlines()
    assert lines[0].rstrip(".") == rule.title
    assert tuple(line for line in lines if line in SECTIONS) == SECTIONS
    assert rule.domain == "rls"


def said(family: Connection, case: Case) -> list[Finding]:
    """What the case's own rule says."""
    every = findings_of(family, case.exposed, case.extensions)
    return [finding for finding in every if finding.rule == case.rule]


def is_runnable(fix: str) -> bool:
    """Whether a fix is complete SQL: no placeholder, and something other than comments."""
    lines = [line for line in fix.splitlines() if not line.startswith("--")]
    return bool(lines) and not re.search(r"<[a-z]|\.\.\.|--", "\n".join(lines))
