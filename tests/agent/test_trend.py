"""The trend over saved reports: order, changes, what cannot be compared, and files that are no reports."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.commands import rls, rls_trend
from agent.reports import trend
from agent.reports.dossier import Dossier, Scope, dossier_json
from tests.agent.test_reports import finding, review
from tools.errors import InvalidInput, NotFound
from tools.findings import Level

START = datetime(2030, 1, 1, 9, tzinfo=UTC)


def save(folder: Path, day: int, *names: str, level: Level = Level.ERROR, **more: Any) -> Path:
    """A report of a day, made by the product's own writer."""
    findings = [finding(level, name) for name in names]
    dossier = Dossier(review(*findings), START + timedelta(days=day), **more)
    file = folder / f"r{9 - day}.json"  # names run against the time
    file.write_text(dossier_json(dossier))
    return file


def test_reports_are_ordered_by_their_own_time_and_compared(tmp_path: Path):
    save(tmp_path, 0, "public.a", "public.b", "public.c")
    save(tmp_path, 1, "public.b")
    save(tmp_path, 2, "public.b", "public.d")
    found = trend.steps(trend.read(file) for file in tmp_path.glob("*.json"))
    assert [step.point.summary.error for step in found] == [3, 1, 2]
    assert [[one.object for one in step.new] for step in found] == [[], [], ["public.d"]]
    assert [[one.object for one in step.fixed] for step in found] == [[], ["public.a", "public.c"], []]
    shown = trend.text(found)
    assert "errors  █▃▆  3 to 2" in shown and "new    ERROR  public.d" in shown
    assert "2030-01-02 09:00" in shown and "  +0     -2" in shown
    assert "- new: ERROR public.d" in trend.markdown(found)
    document = json.loads(trend.document(found))
    assert [len(step["fixed"]) for step in document["steps"]] == [0, 2, 0]


def test_what_cannot_be_compared_is_said(tmp_path: Path):
    save(tmp_path, 0, "public.a")
    save(tmp_path, 1, scope=Scope(only=("rls_disabled_in_public",)))
    found = trend.steps(trend.read(file) for file in tmp_path.glob("*.json"))
    assert found[1].objection == "looked for other things" and not found[1].fixed
    assert "looked for other things" in trend.text(found)
    other = json.loads(save(tmp_path, 2).read_text()) | {"target": "elsewhere"}
    (tmp_path / "r7.json").write_text(json.dumps(other))
    found = trend.steps(trend.read(file) for file in tmp_path.glob("*.json"))
    assert found[2].objection == "another target"


def test_an_upgrade_between_two_reports_is_said(tmp_path: Path):
    save(tmp_path, 0, "public.a", version="0.1.0")
    save(tmp_path, 1, "public.a", "public.b", version="0.2.0")
    found = trend.steps(trend.read(file) for file in tmp_path.glob("*.json"))
    said = "was made by Sergei 0.2.0, the one before by 0.1.0"
    assert said in trend.text(found) and said in trend.markdown(found).replace("\\", "")


def test_a_report_without_a_time_takes_its_file_s(tmp_path: Path):
    file = save(tmp_path, 0, "public.a")
    old = {k: v for k, v in json.loads(file.read_text()).items() if k != "run"}
    file.write_text(json.dumps(old))
    os.utime(file, (START.timestamp(), START.timestamp()))
    shown = trend.text(trend.steps([trend.read(file)]))
    assert "2030-01-01 09:00*" in shown and "the time of its file" in shown


def test_a_folder_passes_over_other_files_and_a_named_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    save(tmp_path, 0, "public.a")
    other = tmp_path / "package.json"
    other.write_text("{}")
    parser = rls.build_parser(["trend"])
    assert rls_trend.run(parser.parse_args(["trend", str(tmp_path)])) == 0
    out = capsys.readouterr()
    assert "public.a" not in out.err and "package.json is not a saved report" in out.err
    assert "over 1 report" in out.out
    with pytest.raises(InvalidInput, match="not a saved report"):
        rls_trend.run(parser.parse_args(["trend", str(other)]))
    with pytest.raises(NotFound):
        rls_trend.run(parser.parse_args(["trend", str(tmp_path / "gone")]))
    (tmp_path / "r9.json").unlink()
    with pytest.raises(InvalidInput, match="no saved report"):
        rls_trend.run(parser.parse_args(["trend", str(tmp_path)]))


@pytest.mark.parametrize(
    ("values", "bars"), [([], ""), ([0, 0], "▁▁"), ([1, 8], "▂█"), ([3, 3, 3], "███"), ([0, 100], "▁█")]
)
def test_bars_run_from_nothing_to_the_largest(values: list[int], bars: str):
    assert trend.spark(values) == bars
