"""Where the sides come from: files, folders, git revisions, databases; and the command's exit codes."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.cli import main
from tests.conftest import CACHE, MakeExecutor
from tools.database.connection import Database
from tools.errors import InvalidInput, NotFound, Refused
from tools.resources import Resources
from tools.rls.diffing.change import Direction
from tools.rls.diffing.sides import Sides
from tools.sandbox.cluster import Cluster, SandboxSettings
from tools.workspace.jail import Workspace

pytestmark = pytest.mark.anyio

FIRST = """
create table public.profiles (id uuid primary key, owner_id uuid not null references auth.users (id));
alter table public.profiles enable row level security;
create policy own on public.profiles for select to authenticated using (owner_id = (select auth.uid()));
"""
SECOND = "alter policy own on public.profiles using (true);\n"
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git repository with one committed migration and one that is not."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "001.sql").write_text(FIRST)
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "one"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, env=ENVIRONMENT)
    (folder / "002.sql").write_text(SECOND)
    return tmp_path


@pytest.fixture
def sides(project: Path) -> Sides:
    """Sides as a tool may name them."""
    return Sides(
        Resources(
            sandbox_or_none=lambda: Cluster.open(SandboxSettings(cache_dir=CACHE)),
            workspace_or_none=Workspace(project.resolve(), ENVIRONMENT),
        )
    )


async def test_a_folder_at_a_revision_and_as_it_lies_there(sides: Sides):
    found = await sides.compare("HEAD:migrations", "migrations")
    assert found.verdict is Direction.WIDENS
    assert [change.sentence for change in found.changes] == ["policy own on public.profiles changed."]
    assert (await sides.compare("HEAD:migrations", "HEAD:migrations")).changes == ()


async def test_before_and_after_a_migration_that_the_folder_holds_already(sides: Sides):
    found = await sides.compare("migrations", "", "migrations/002.sql")
    assert found.verdict is Direction.WIDENS
    assert found.head == "migrations + 002.sql"


async def test_before_and_after_a_migration_of_the_target(sides: Sides, project: Path, guardian: str):
    (project / "next.sql").write_text("alter policy profiles_select on public.profiles using (true);")
    target = Sides(
        Resources(
            database_or_none=Database(guardian, environment="sandbox"),
            sandbox_or_none=sides.resources.sandbox_or_none,
            workspace_or_none=sides.resources.workspace_or_none,
        )
    )
    found = await target.compare("target", "", "next.sql")
    assert [change.object for change in found.changes] == ["policy profiles_select on public.profiles"]
    assert found.verdict is Direction.WIDENS


async def test_a_migration_that_fails_says_where(sides: Sides, project: Path):
    (project / "bad.sql").write_text("alter table public.nowhere enable row level security;")
    with pytest.raises(InvalidInput, match=r"bad\.sql does not apply: .*nowhere"):
        await sides.compare("migrations", "", "bad.sql")


async def test_what_is_no_side_is_said_in_a_sentence(sides: Sides, project: Path):
    (project / "empty").mkdir()
    for word, kind, words in (
        ("nowhere", NotFound, "no file or folder"),
        ("nope:migrations", NotFound, "git does not know nope"),
        ("HEAD:elsewhere", NotFound, r"no \.sql file"),
        ("-x:migrations", InvalidInput, "no git revision"),
        ("empty", NotFound, r"no \.sql file"),
        ("../outside", Refused, "outside the workspace"),
        ("postgresql://db.example/x", InvalidInput, "no side here"),
    ):
        with pytest.raises(kind, match=words):
            await sides.side(word)


async def test_the_tool_compares_two_states(make_executor: MakeExecutor, project: Path, demo_dsn: str):
    executor = make_executor(demo_dsn, workspace=project)
    outcome = await executor.call("diff_access", {"base": "migrations", "migration": "migrations/002.sql"})
    assert outcome.ok, outcome.markdown()
    assert "**widens** policy own on public.profiles changed." in outcome.markdown()


def run(*words: str) -> int:
    """The exit code of `sergei rls diff`."""
    return main(["rls", "diff", *words])


def test_the_command_saves_compares_and_exits(
    project: Path, guardian: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(project)
    monkeypatch.setenv("SERGEI_CACHE_DIR", str(CACHE.parent))
    monkeypatch.setenv("SERGEI_STATE_DIR", str(project / "state"))
    assert run("--save", "before.json", "--database-url", guardian) == 0
    assert run("before.json", "--database-url", guardian, "--fail-on", "any") == 0
    assert "Nothing changed in who can do what." in capsys.readouterr().out
    code = run("before.json", guardian, "--format", "sarif", "--output", "out.sarif")
    assert code == 0 and json.loads((project / "out.sarif").read_text())["version"] == "2.1.0"
    assert run("before.json", "other.json") == 2
    assert run("--migrations", "migrations") == 2
    assert run() == 2
    assert "Traceback" not in capsys.readouterr().err


def test_every_state_that_the_command_reads_is_on_record(
    project: Path, guardian: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(project)
    monkeypatch.setenv("SERGEI_CACHE_DIR", str(CACHE.parent))
    monkeypatch.setenv("SERGEI_STATE_DIR", str(project / "state"))
    assert run("--save", "before.json", "--database-url", guardian) == 0
    assert run("before.json", guardian) == 0  # no database is connected: the URL is a side
    assert main(["rls", "pr", "--base", "before.json", "--database-url", guardian]) == 0
    capsys.readouterr()
    assert main(["audit", "show", "--format", "json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    label = Database(guardian).target.label
    assert [(one["tool"], one["effect"], one["result"]) for one in records] == [
        ("read_side", "read", "ok"),
        ("diff_access", "read", "ok"),
        ("read_side", "read", "ok"),
    ]
    assert [records[0]["target"], records[2]["target"]] == [label, label]
    before, _, after = records[1]["target"].partition(" -> ")
    assert before.startswith(f"{label} of ") and after == label


def test_tools_of_a_command_line_leave_what_was_approved_for_others_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    soon = datetime.now(UTC).date() + timedelta(days=9)
    (project / "sergei.toml").write_text(
        f'[[approve]]\nname = "a"\ntool = "edit_file"\ntarget = "/w/*"\nreason = "notes"\nexpires = {soon}\n'
    )
    monkeypatch.chdir(project)
    monkeypatch.setenv("SERGEI_CACHE_DIR", str(CACHE.parent))
    monkeypatch.setenv("SERGEI_STATE_DIR", str(project / "state"))
    assert run("HEAD:migrations", "HEAD:migrations") == 0, capsys.readouterr().err
