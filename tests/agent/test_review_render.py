"""`sergei review render` on a folder with a render.yaml and without any key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.commands.review import every_rule, rules_of
from tests.agent.test_cli import Sergei, one_sentence, sergei
from tests.tools.render.rules.files import CLEAN

__all__ = ["sergei"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The workspace that the `sergei` fixture runs in."""
    place = tmp_path / "workspace"
    place.mkdir(exist_ok=True)
    return place


def test_a_file_is_reviewed_in_every_format(sergei: Sergei, folder: Path):
    (folder / "render.yaml").write_text(CLEAN.replace("healthCheckPath", "healthcheckPath"))
    done = sergei("review", "render", "--format", "json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    rules = {one["rule"] for one in report["findings"]}
    assert rules == {"blueprint_invalid", "health_check_missing"}
    assert report["target"] == "render.yaml" and report["run"]["scope"]["domains"] == ["render"]
    log = json.loads(sergei("review", "render", "--format", "sarif").stdout)["runs"][0]
    places = [one["locations"][0]["physicalLocation"] for one in log["results"]]
    assert {place["artifactLocation"]["uri"] for place in places} == {"render.yaml"}
    assert (
        "healthcheckPath"
        in (folder / "render.yaml").read_text().splitlines()[places[0]["region"]["startLine"] - 1]
    )
    described = {rule["id"] for rule in log["tool"]["driver"]["rules"]}
    assert described == {rule.name for rule in rules_of("render")}
    for form in ("text", "markdown", "html"):
        shown = sergei("review", "render", "--format", form).stdout
        assert "health_check_missing" in shown and "row level security" not in shown.lower()


def test_a_clean_file_passes_and_a_baseline_holds_what_is_known(sergei: Sergei, folder: Path):
    (folder / "render.yaml").write_text(CLEAN)
    assert sergei("review", "render").returncode == 0
    (folder / "render.yaml").write_text(CLEAN.replace("plan: 0.5c-1g", "plan: free"))
    assert sergei("review", "render").returncode == 1
    assert sergei("review", "render", "--write-baseline", "known.json").returncode == 0
    assert sergei("review", "render", "--baseline", "known.json").returncode == 0


def test_neither_key_nor_file_is_one_sentence(sergei: Sergei, folder: Path):
    assert "no render.yaml" in one_sentence(sergei("review", "render"), 2)
    assert "no Render rule called gone" in one_sentence(sergei("review", "render", "--only", "gone"), 2)


def test_every_rule_is_listed_and_shown(sergei: Sergei, folder: Path):
    listed = sergei("rules").stdout
    assert all(rule.name in listed for rule in every_rule())
    assert "When to ignore" in sergei("rules", "show", "region_apart").stdout
