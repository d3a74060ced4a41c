"""House rules that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tools

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "tools", "memory", "prompts")
SOURCES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))


def test_the_domains_are_the_folders_that_define_tools():
    folders = {
        file.parent.name for file in (ROOT / "tools").glob("*/__init__.py") if "TOOLS" in file.read_text()
    }
    assert folders == set(tools.DOMAINS)


def test_every_tool_lives_in_the_domain_it_is_listed_in():
    for tool in tools.catalogue().values():
        assert tool.domain in tools.DOMAINS
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", tool.name)
        assert len(tool.summary) <= 200, f"{tool.name}: a summary is one sentence"


def test_every_test_folder_is_a_package():
    folders = {file.parent for file in (ROOT / "tests").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_only_settings_reads_the_environment():
    readers = {
        file.relative_to(ROOT).as_posix()
        for file in SOURCES
        if re.search(r"\bos\.(environ|getenv)\b|from os import .*environ", file.read_text())
    }
    assert readers == {"agent/settings.py"}


def test_broad_excepts_stand_in_the_gate_only():
    found: set[str] = set()
    for file in SOURCES:
        text = file.read_text()
        handles = re.search(r"Exception|except\s*:", text)
        for node in ast.walk(ast.parse(text)) if handles else ():
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                if re.search(r"\b(Base)?Exception\b|everything", caught):
                    found.add(file.relative_to(ROOT).as_posix())
    assert found == {"agent/executor.py"}


def test_modules_stay_readable():
    assert [file.name for file in SOURCES if len(file.read_text().splitlines()) > 400] == []


def test_there_is_no_way_to_start_but_the_script():
    assert not (ROOT / "agent" / "__main__.py").exists()


def test_every_package_is_typed_and_packed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)
    assert all((ROOT / package / "py.typed").exists() for package in PACKAGES)


def test_pinned_versions_are_exact_and_cover_what_we_need():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {
        line.split("==")[0].lower().replace("_", "-") for line in lines if line and not line.startswith("#")
    }
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line) for line in lines if line and line[0] != "#")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for need in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        assert re.split(r"[\[<>=!~ ]", need)[0].lower().replace("_", "-") in pins, need


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import agent.cli; agent.cli.build_parser()", ("anthropic", "mcp", "pydantic", "psycopg", "rich")),
        ("import agent.commands.run, agent.commands.review", ("anthropic", "mcp", "prompt_toolkit")),
        ("import agent.commands.mcp, agent.mcp_server", ("anthropic", "prompt_toolkit")),
    ],
)
def test_start_up_loads_nothing_it_does_not_need(code: str, absent: tuple[str, ...]):
    check = f"{code}\nimport sys\nprint([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_another_project_that_shadows_us_is_noticed(tmp_path: Path):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "__init__.py").write_text("raise SystemExit('their tools ran')")
    code = "import sys; sys.path.insert(0, '.'); from agent.cli import main; sys.exit(main(['tools']))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 3
    assert "another project shadows it" in done.stderr and "their tools" not in done.stderr
