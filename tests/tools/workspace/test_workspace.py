"""The workspace tools, through the gate: inside the folder, never outside, never a secret."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from agent.approvals import Answer, Decision, Request
from agent.executor import Executor, Outcome
from tests.conftest import MakeExecutor

pytestmark = pytest.mark.anyio


async def _yes(request: Request) -> Decision:
    return Decision(Answer.ONCE, by="person")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "supabase" / "migrations").mkdir(parents=True)
    (folder / "supabase" / "migrations" / "001_first.sql").write_text("create table visits ();\n-- a note\n")
    (folder / "render.yaml").write_text("services: []\n")
    (folder / ".env").write_text("KEY=very-secret\n")
    (folder / ".env.example").write_text("KEY=\n")
    (tmp_path / "outside.txt").write_text("not yours\n")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "env-link").symlink_to(folder / ".env")
    (folder / "loop").symlink_to(folder / "loop")
    return folder


@pytest.fixture
def executor(project: Path, make_executor: MakeExecutor) -> Executor:
    return make_executor(workspace=project, asker=_yes)


async def refused(executor: Executor, tool: str, **arguments: Any) -> Outcome:
    outcome = await executor.call(tool, arguments)
    assert outcome.failure, f"{tool} {arguments} was let through"
    return outcome


@pytest.mark.parametrize(
    "path", ["../outside.txt", "link.txt", "/etc/passwd", "~/x", ".env", "env-link", "loop"]
)
async def test_what_is_outside_or_secret_is_not_read(executor: Executor, path: str):
    outcome = await refused(executor, "read_file", path=path)
    assert "not yours" not in outcome.fenced() and "very-secret" not in outcome.fenced()


@pytest.mark.parametrize(
    "name", ["id_rsa", "server.pem", "prod.env", ".env.production", ".aws/credentials", "a.tfstate"]
)
async def test_files_of_secrets_are_known_by_name(executor: Executor, project: Path, name: str):
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("very-secret")
    assert (await refused(executor, "read_file", path=name)).failure
    assert (await refused(executor, "edit_file", path=name, old="very-secret", new="x")).failure
    found = await executor.call("grep", {"pattern": "very-secret"})
    assert "very-secret" not in found.markdown()


async def test_an_example_of_a_secrets_file_is_readable(executor: Executor):
    assert (await executor.call("read_file", {"path": ".env.example"})).ok


async def test_reading_numbers_the_lines(executor: Executor):
    outcome = await executor.call("read_file", {"path": "supabase/migrations/001_first.sql", "start": 2})
    assert "    2 -- a note" in outcome.markdown()


async def test_a_binary_file_is_said_to_be_one(executor: Executor, project: Path):
    (project / "picture").write_bytes(b"\x89PNG\0\0")
    outcome = await refused(executor, "read_file", path="picture")
    assert "binary" in outcome.markdown()
    (project / "latin").write_bytes("caf\xe9".encode("latin-1"))
    assert "not UTF-8" in (await refused(executor, "read_file", path="latin")).markdown()


async def test_grep_finds_lines_and_leaves_links_out(executor: Executor):
    outcome = await executor.call("grep", {"pattern": "create table|not yours", "files": "*"})
    assert "001_first.sql:1: create table visits" in outcome.markdown()
    assert "not yours" not in outcome.markdown()


async def test_glob_crosses_folders(executor: Executor):
    for pattern in ("**/*.sql", "supabase/**", "supabase/migrations/0*.sql"):
        outcome = await executor.call("glob", {"pattern": pattern})
        assert "supabase/migrations/001_first.sql" in outcome.markdown(), pattern
    assert "render.yaml" in (await executor.call("glob", {"pattern": "*.yaml"})).markdown()
    await refused(executor, "glob", pattern="../*")


async def test_a_bad_regular_expression_is_one_sentence(executor: Executor):
    assert "not a regular expression" in (await refused(executor, "grep", pattern="(")).markdown()


async def test_an_edit_replaces_one_passage_and_shows_a_diff(project: Path, make_executor: MakeExecutor):
    seen: list[str] = []

    async def look(request: Request) -> Decision:
        seen.append(request.preview.action)
        return Decision(Answer.ONCE, by="person")

    executor = make_executor(workspace=project, asker=look)
    arguments = {"path": "render.yaml", "old": "services: []", "new": "services: [web]"}
    assert (await executor.call("edit_file", arguments)).ok
    assert (project / "render.yaml").read_text() == "services: [web]\n"
    assert "-services: []" in seen[0] and "+services: [web]" in seen[0]


async def test_an_edit_that_does_not_fit_changes_nothing(executor: Executor, project: Path):
    await refused(executor, "edit_file", path="render.yaml", old="absent", new="x")
    await refused(executor, "edit_file", path="render.yaml", new="whole new text")
    await refused(executor, "edit_file", path="link.txt", old="not yours", new="x")
    assert (project / "render.yaml").read_text() == "services: []\n"


async def test_a_new_file_is_made_with_its_folders(executor: Executor, project: Path):
    assert (await executor.call("edit_file", {"path": "a/b/c.sql", "new": "select 1;\n"})).ok
    assert (project / "a" / "b" / "c.sql").read_text() == "select 1;\n"


async def test_a_command_sees_none_of_our_secrets(executor: Executor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-should-not-be-seen")
    script = "import os; print(sorted(k for k in os.environ if not k.startswith('LC_')))"
    outcome = await executor.call("run_command", {"command": f'{sys.executable} -c "{script}"'})
    assert "['PATH']" in outcome.markdown() and "exit code 0" in outcome.markdown()


async def test_a_command_has_no_shell(executor: Executor, project: Path):
    await executor.call("run_command", {"command": "echo a; touch b > c | d"})
    assert not (project / "b").exists() and not (project / "c").exists()
    assert "no program" in (await refused(executor, "run_command", command="definitely-not-here")).markdown()
    assert "cannot be read" in (await refused(executor, "run_command", command='echo "')).markdown()


async def test_a_command_ends_at_its_timeout_with_its_children(executor: Executor):
    outcome = await refused(executor, "run_command", command="sh -c 'sleep 30 & sleep 30'", timeout=1)
    assert "ended after 1 s" in outcome.markdown()


async def test_long_output_keeps_its_head_and_tail(executor: Executor):
    script = "print('first'); print('x' * 900000); print('last')"
    outcome = await executor.call("run_command", {"command": f'{sys.executable} -c "{script}"'})
    assert "first" in outcome.markdown() and "last" in outcome.markdown()
    assert len(outcome.markdown()) < 210_000


async def test_without_a_yes_nothing_is_written_or_run(project: Path, make_executor: MakeExecutor):
    executor = make_executor(workspace=project)
    await refused(executor, "edit_file", path="new.txt", new="x")
    await refused(executor, "run_command", command="touch made")
    assert not (project / "new.txt").exists() and not (project / "made").exists()
