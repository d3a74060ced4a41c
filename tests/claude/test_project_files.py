"""The MCP configuration and the skills that Claude Code picks up from the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import prompts

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".claude" / "skills"
SKILLS = (FOLDER / "new-rule" / "SKILL.md", FOLDER / "new-tool" / "SKILL.md")


def test_the_mcp_configuration_starts_sergei_over_stdio() -> None:
    config = json.loads((ROOT / ".mcp.json").read_text(encoding="utf-8"))
    assert config == {
        "mcpServers": {
            prompts.MCP_SERVER: {"type": "stdio", "command": "sergei", "args": ["mcp"], "env": {}},
        }
    }


def test_the_skills_in_the_folder_are_the_ones_tested_here() -> None:
    assert tuple(sorted(FOLDER.rglob("*.md"))) == SKILLS


@pytest.mark.parametrize("file", SKILLS, ids=lambda file: file.parent.name)
def test_a_skill_has_its_folders_name_and_says_when_to_use_it(file: Path) -> None:
    match = re.match(r"---\nname: (.+)\ndescription: (.+)\n---\n", file.read_text(encoding="utf-8"))
    assert match is not None
    assert match[1] == file.parent.name
    assert "Use when" in match[2]
    # Unquoted YAML: these would make the description something other than a string.
    assert ": " not in match[2] and " #" not in match[2] and match[2][0] not in "[{\"'&*!|>%@`"


@pytest.mark.parametrize("file", SKILLS, ids=lambda file: file.parent.name)
def test_every_path_that_a_skill_names_exists(file: Path) -> None:
    named = re.findall(
        r"`((?:tools|agent|tests|prompts|memory|\.claude)/[\w./-]+)`", file.read_text(encoding="utf-8")
    )
    missing = [path for path in named if not (ROOT / path).exists()]
    assert len(named) >= 3
    assert missing == []
