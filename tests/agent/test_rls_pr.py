"""The pull-request verdict on the command line: migrations at a revision, snapshots, exit codes, files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.agent.test_cli import Sergei, one_sentence, sergei

__all__ = ["sergei"]

BASE = """
create table public.notes (id uuid primary key, owner_id uuid not null, body text);
alter table public.notes enable row level security;
create policy read on public.notes for select to authenticated using (owner_id = (select auth.uid()));
create index on public.notes (owner_id);
create table public.old (id int);
"""
HARMLESS = "alter policy read on public.notes using ((select auth.uid()) = owner_id);"
WIDER = "alter policy read on public.notes using (true);"
MENDING = (
    "alter table public.old enable row level security; revoke all on public.old from anon, authenticated;"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository in the workspace whose first commit is the base side."""
    folder = tmp_path / "workspace"
    (folder / "db").mkdir(parents=True)
    (folder / "db" / "1_base.sql").write_text(BASE)
    identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "base"]):
        subprocess.run(["git", *words], check=True, cwd=folder)
    return folder


def test_a_change_is_judged_by_what_it_brings(sergei: Sergei, project: Path):
    sides = ("--base", "HEAD:db", "--head", "db")
    change = project / "db" / "2_change.sql"
    change.write_text(HARMLESS)
    same = sergei("rls", "pr", *sides)
    assert same.returncode == 0 and same.stdout.startswith("PASS: nothing new"), same.stdout
    assert "1 known" in same.stdout  # public.old has no row level security on either side
    change.write_text(WIDER)
    wider = sergei("rls", "pr", *sides, "--comment", "c.md", "--sarif", "r.sarif")
    assert wider.returncode == 1 and wider.stdout.startswith("FAIL: 1 new finding; access becomes wider.")
    comment = (project / "c.md").read_text()
    assert comment.startswith("<!-- sergei rls pr -->\n## ❌") and "rls_policy_always_true" in comment
    (run,) = json.loads((project / "r.sarif").read_text())["runs"]
    assert {r["ruleId"]: r["baselineState"] for r in run["results"]} == {
        "rls_policy_always_true": "new",
        "rls_disabled_in_public": "unchanged",
    }
    meant = sergei("rls", "pr", *sides, "--allow-wider", "--fail-on", "never", "--format", "json")
    verdict = json.loads(meant.stdout)["verdict"]
    assert meant.returncode == 0 and "which a person said is meant" in verdict["sentence"]


def test_a_saved_snapshot_is_a_side_and_what_is_fixed_is_said(sergei: Sergei, project: Path):
    saved = sergei("rls", "diff", "HEAD:db", "--save", "before.json")
    assert saved.returncode == 0, saved.stderr
    (project / "db" / "2_change.sql").write_text(MENDING)
    done = sergei("rls", "pr", "--base", "before.json", "--head", "db")
    assert done.returncode == 0 and "0 new, 0 known, 1 fixed" in done.stdout, done.stdout
    hint = one_sentence(sergei("rls", "pr", "--base", "db", "--head", "before.json", "--prove"), 2)
    assert "A saved snapshot cannot be attacked" in hint


def test_both_sides_are_supabase_s_when_one_is(sergei: Sergei, project: Path):
    (project / "plain.sql").write_text("create table public.plain (id int);")
    (project / "more.sql").write_text("create table public.plain (id int); comment on table plain is 'anon';")
    done = sergei("rls", "pr", "--base", "plain.sql", "--head", "more.sql")
    assert done.returncode == 0 and "Nothing changed in who can do what" in done.stdout, done.stdout
    assert "0 new, 1 known" in done.stdout  # the default privileges of Supabase are on both sides


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Which state was before?"),
        (("--base", "gone"), "no folder or file gone"),
        (("--base", "HEAD:gone"), "There is no .sql file in gone at HEAD"),
        (("--base", "gone.json"), "no snapshot gone.json"),
        (("--base", "db", "--comment", "/nowhere/c.md"), "--comment"),
        (("--base", "db", "--head", "target"), "No database is connected"),
    ],
)
def test_a_mistake_is_one_sentence(sergei: Sergei, project: Path, words: tuple[str, ...], says: str):
    assert says in one_sentence(sergei("rls", "pr", *words), 2)


def test_the_workflow_is_printed_and_nothing_else(sergei: Sergei, tmp_path: Path):
    done = sergei("rls", "pr", "--print-workflow")
    assert done.returncode == 0 and done.stdout.startswith("# Row level security on every pull request")
    assert "sergei==0." in done.stdout and done.stderr == ""
