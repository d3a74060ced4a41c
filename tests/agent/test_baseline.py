"""Baselines on the command line: written once, known afterwards, new and fixed findings told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent import baseline as baselines
from tests.agent.test_cli import Sergei, one_sentence, sergei
from tests.agent.test_reports import AT, finding, review
from tools.errors import InvalidInput, NotFound, Unavailable
from tools.sandbox import faults

__all__ = ["sergei"]


def test_known_findings_pass_and_new_ones_fail(sergei: Sergei, guardian: str, tmp_path: Path):
    known = str(tmp_path / "known.json")
    target = ("review", "--database-url", guardian)
    old, new = faults.fault("policy_always_true"), faults.fault("view_reads_as_owner")
    faults.apply(guardian, old)
    assert sergei(*target).returncode == 1
    written = sergei(*target, "--write-baseline", known)
    assert written.returncode == 0 and "1 finding accepted" in written.stderr and written.stdout == ""
    same = sergei(*target, "--baseline", known)
    assert same.returncode == 0 and "0 new, 1 known, 0 fixed" in same.stdout
    assert "known  ERROR  policy medications_select on public.medications" in same.stdout
    faults.apply(guardian, new)
    worse = sergei(*target, "--baseline", known)
    assert worse.returncode == 1 and "1 new, 1 known, 0 fixed" in worse.stdout
    assert "security_definer_view" in worse.stdout
    part = sergei(*target, "--baseline", known, "--only", "security_definer_view")
    assert "1 new, 0 known, 0 fixed, 1 not looked for in this run" in part.stdout
    faults.undo(guardian, old, new)
    better = sergei(*target, "--baseline", known)
    assert better.returncode == 0 and "0 new, 0 known, 1 fixed" in better.stdout
    assert f"--write-baseline {known}" in better.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--baseline", "gone.json"), "There is no baseline gone.json"),
        (("--write-baseline", "/nowhere/x.json"), "cannot be written"),
        (("--write-baseline", "x.json", "--only", "rls_policy_always_true"), "A baseline is of all findings"),
        (("--emit", "pgtap"), "Add --prove"),
        (("--budget", "5"), "Add --prove"),
    ],
)
def test_a_mistake_is_said_before_any_work(sergei: Sergei, words: tuple[str, ...], says: str):
    assert says in one_sentence(
        sergei("review", "--database-url", "postgresql://nowhere.invalid/x", *words), 2
    )


def test_the_file_is_stable_and_one_finding_a_line(tmp_path: Path):
    file = tmp_path / "known.json"
    baselines.write(file, review(finding(name="public.b"), finding(name="public.a")), AT.date())
    first = file.read_text()
    baselines.write(file, review(finding(name="public.a"), finding(name="public.b")), AT.date())
    assert file.read_text() == first
    assert sum("cache_key" in line for line in first.splitlines()) == 2
    assert [one.object for one in baselines.read(file).findings] == ["public.a", "public.b"]
    assert "Everybody reads" not in first  # names only, no evidence
    assert list(tmp_path.iterdir()) == [file]


def test_other_files_are_no_baselines(tmp_path: Path):
    with pytest.raises(NotFound, match="--write-baseline"):
        baselines.read(tmp_path / "gone.json")
    file = tmp_path / "known.json"
    for text in ("", "{}", "[]", "\x00"):
        file.write_text(text)
        with pytest.raises(InvalidInput, match="not a baseline"):
            baselines.read(file)
    baselines.write(file, review(), AT.date())
    file.write_text(json.dumps(json.loads(file.read_text()) | {"sergei_baseline": 2}))
    with pytest.raises(InvalidInput, match="newer Sergei"):
        baselines.read(file)
    with pytest.raises(Unavailable):
        baselines.write(tmp_path / "no" / "known.json", review(), AT.date())
