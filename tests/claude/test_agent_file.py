"""The Claude Code agent: generated from the prompts, with fields that Claude Code knows."""

from __future__ import annotations

import json
import re

import prompts
from tests.documents import AGENT, agent_tools

DOCUMENTED = {
    "name",
    "description",
    "tools",
    "disallowedTools",
    "model",
    "color",
    "effort",
    "permissionMode",
    "mcpServers",
    "hooks",
    "maxTurns",
    "skills",
    "initialPrompt",
    "memory",
    "background",
    "isolation",
}


def split(text: str) -> tuple[dict[str, str], str]:
    """The front matter (one `field: value` per line) and the body."""
    opening, head, body = text.split("---\n", 2)
    assert opening == ""
    pairs = [line.partition(": ") for line in head.splitlines()]
    assert all(separator for _, separator, _ in pairs)
    assert len({name for name, _, _ in pairs}) == len(pairs), "a field is given twice"
    return {name: value for name, _, value in pairs}, body


def test_the_front_matter_has_only_documented_fields_and_the_required_ones() -> None:
    fields, _ = split(AGENT.read_text(encoding="utf-8"))
    assert fields.keys() <= DOCUMENTED
    assert {"name", "description"} <= fields.keys()


def test_the_agent_is_named_as_people_call_it_and_as_its_file() -> None:
    fields, _ = split(AGENT.read_text(encoding="utf-8"))
    assert fields["name"] == AGENT.stem == "infrastructure-sergei"
    assert re.fullmatch(r"[a-z][a-z0-9-]*", fields["name"])


def test_it_takes_no_memory_field_because_that_would_add_write_access() -> None:
    fields, _ = split(AGENT.read_text(encoding="utf-8"))
    assert "memory" not in fields


def test_the_description_is_one_quoted_string_that_tells_when_to_delegate() -> None:
    fields, _ = split(AGENT.read_text(encoding="utf-8"))
    description = json.loads(fields["description"])
    assert isinstance(description, str)
    assert len(description) < 1_024
    for words in ("Use proactively when", "Examples: ", "Supabase", "Render.com", "Guardian", "Not for"):
        assert words in description


def test_it_gets_the_five_tools_and_each_mcp_tool_under_both_names() -> None:
    fields, _ = split(AGENT.read_text(encoding="utf-8"))
    granted = fields["tools"].split(", ")
    assert granted[:5] == ["Read", "Edit", "Bash", "Grep", "Glob"]
    for name in agent_tools():
        assert f"mcp__sergei__{name}" in granted
        assert f"mcp__plugin_sergei_sergei__{name}" in granted
    assert len(granted) == len(set(granted)) == 5 + 2 * len(agent_tools())


def test_the_body_is_complete_because_it_replaces_claude_codes_own_prompt() -> None:
    _, body = split(AGENT.read_text(encoding="utf-8"))
    assert body.startswith("\n" + prompts.system_prompt(guardian=False))
    assert prompts.load("claude-code") in body
    assert prompts.load("requests/" + prompts.REQUESTS[0]) not in body


def test_guardian_comes_under_its_condition() -> None:
    _, body = split(AGENT.read_text(encoding="utf-8"))
    before, _, after = body.partition("holds only when the target is Guardian")
    assert "guardian" not in before.lower()
    assert prompts.load("guardian") in after
