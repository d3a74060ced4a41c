"""The banks that a session reads, and the ones that it writes when a person names them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import settings
from agent.compose import open_bank
from memory import Banks, BankUnavailable, Draft, RefusedEntry

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DRAFT = Draft("A shift of the platform", "handoffs", "Handed over the deploy queue.", "All was taken over.")


def opened(workspace: Path, toml: str, **environ: str) -> Banks:
    workspace.mkdir(exist_ok=True)
    (workspace / "sergei.toml").write_text(toml)
    found = open_bank(
        settings.load(workspace, {"HOME": str(workspace.parent / "home"), **environ}), who="anna"
    )
    assert found is not None
    return found


def test_the_workspace_is_written_unless_a_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    banks = opened(tmp_path / "work", '[agent]\nteam_memory = "../shared"\n')
    assert list(banks.places) == ["workspace", "team", "user"]
    roots = [
        tmp_path / "work/.sergei/memory",
        tmp_path / "shared",
        tmp_path / "home/.local/share/sergei/memory",
    ]
    assert [bank.root for bank in banks.places.values()] == roots
    for number, name in enumerate(("", *banks.places)):
        draft = Draft(f"Shift {number}", "handoffs", f"Handed over queue {number}.", "All was taken over.")
        place = banks.in_place(name) if name else banks
        saved = place.add(draft, source="s", now=NOW)
        assert saved.path.is_relative_to(roots[max(0, number - 1)])
        assert banks.get(saved.entry.id) == saved.entry
    assert len(banks.recall("shift queue", now=NOW, limit=9)) >= 4
    with pytest.raises(RefusedEntry):
        bad = Draft(
            "A note", "handoffs", "Used the key sk_live_4eC39HqLyjWDarjtT1zdp7dc here.", "It was wrong."
        )
        banks.in_place("team").add(bad, source="s", now=NOW)


def test_without_a_team_there_is_no_such_place(tmp_path: Path) -> None:
    banks = opened(tmp_path / "work", "", XDG_DATA_HOME=str(tmp_path / "data"))
    assert banks.places["user"].root == tmp_path / "data/sergei/memory"
    with pytest.raises(BankUnavailable, match="no memory bank called 'team'"):
        banks.in_place("team")


def test_a_team_folder_that_is_not_there_is_a_problem_and_the_rest_works(tmp_path: Path) -> None:
    banks = opened(tmp_path / "work", '[agent]\nteam_memory = "../nowhere"\n')
    assert [problem.path for problem in banks.problems()] == [tmp_path / "nowhere"]
    saved = banks.add(DRAFT, source="s", now=NOW)
    assert banks.recall("shift of the platform", now=NOW)[0].entry == saved.entry
    assert not (tmp_path / "nowhere").exists()


def test_reading_the_team_s_bank_leaves_nothing_in_it(tmp_path: Path) -> None:
    team = tmp_path / "shared"
    opened(tmp_path / "one", '[agent]\nteam_memory = "../shared"\n').in_place("team").add(
        DRAFT, source="s", now=NOW
    )
    for hidden in (".lock", ".gitignore", ".index.sqlite"):
        (team / hidden).unlink()
    before = sorted(team.rglob("*"))
    banks = opened(tmp_path / "two", '[agent]\nteam_memory = "../shared"\n')
    assert banks.recall("shift of the platform", now=NOW)[0].entry.title == DRAFT.title
    assert banks.add(DRAFT, source="s", now=NOW).merged
    assert banks.problems() == ()
    assert sorted(team.rglob("*")) == before
