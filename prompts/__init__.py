"""The words: who Sergei is, how he works, and the requests people make, one Markdown file each.

The texts are files beside this module, so that a person can read and change them without touching Python.
What is assembled from them is byte-stable (no dates, no randomness): the model's prompt cache depends on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_NAME = re.compile(r"[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)?")
_FIELD = re.compile(r"([a-z]+): (\S.*)")

SECTIONS: tuple[str, ...] = ("persona", "responsibilities", "working-method", "colleagues")
"""The system prompt in its order, for any target."""

GUARDIAN = "guardian"
"""What is true of the Guardian platform only; added when Guardian is the target."""

REQUESTS: tuple[str, ...] = (
    "optimize-patient-queries",
    "design-rls-for-family-profiles",
    "review-healthcare-journey-migration",
    "deploy-document-processing",
    "monitor-peak-usage",
    "automate-clinical-backups",
    "audit-data-access-patterns",
    "review-multi-profile-security",
    "encrypt-sensitive-fields",
)
"""The example requests, in the order in which they are offered."""

AGENT_NAME = "infrastructure-sergei"
MCP_SERVER = "sergei"
MCP_PLUGIN = "sergei"
CLAUDE_CODE_TOOLS: tuple[str, ...] = ("Read", "Edit", "Bash", "Grep", "Glob")
"""Claude Code's own tools that the agent gets; they stand in for the workspace tools there."""


class PromptNotFound(LookupError):
    """No text of that name is part of the package."""


class PromptMalformed(ValueError):
    """A request file lacks its front matter or one of its fields."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request that people make of Sergei, offered as a prompt.

    `title` is what they say, word for word; `text` is that sentence followed by how to go about it.
    """

    name: str
    title: str
    description: str
    text: str


@cache
def load(name: str) -> str:
    """Return the text called `name` (`persona`, `requests/monitor-peak-usage`, ...), ending in one newline.

    Read once per process, so that an edit on disk cannot change the prompt in the middle of a conversation.
    Raises PromptNotFound.
    """
    path = _FOLDER / f"{name}.md"
    if not _NAME.fullmatch(name) or not path.is_file():
        known = ", ".join(sorted(file.stem for file in _FOLDER.glob("*.md")))
        raise PromptNotFound(f"There is no prompt named {name!r}; the texts are {known} and requests/NAME.")
    return path.read_text(encoding="utf-8").strip() + "\n"


def system_prompt(*, guardian: bool) -> str:
    """Return the system prompt; `guardian` adds what is true of the Guardian platform only."""
    return _joined((*SECTIONS, GUARDIAN) if guardian else SECTIONS)


def requests() -> tuple[Request, ...]:
    """Return the example requests in the order of REQUESTS. Raises PromptMalformed for a damaged file."""
    return tuple(parse_request(load(f"requests/{name}")) for name in REQUESTS)


def parse_request(source: str) -> Request:
    """Read one request file: `---`, the fields name, title and description on a line each, `---`, the text.

    The fields are plain text to the end of the line, not YAML: a colon or a quote in a title needs no escape.
    """
    opening, _, rest = source.partition("---\n")
    head, closing, text = rest.partition("\n---\n")
    if opening or not closing or not text.strip():
        raise PromptMalformed("A request starts with front matter between two lines of --- and has a text.")
    fields: dict[str, str] = {}
    for line in head.splitlines():
        match = _FIELD.fullmatch(line)
        if match is None:
            raise PromptMalformed(f"The front matter line {line!r} is not of the form `field: text`.")
        fields[match[1]] = match[2].strip()
    if set(fields) != {"name", "title", "description"}:
        raise PromptMalformed(
            f"A request has the fields name, title, description; this has {sorted(fields)}."
        )
    return Request(fields["name"], fields["title"], fields["description"], text.strip() + "\n")


def agent_file(tool_names: Sequence[str]) -> str:
    """Return the Claude Code agent definition (`.claude/agents/infrastructure-sergei.md`).

    `tool_names` are the MCP tools to grant, without prefix. Each is listed twice, because Claude Code names a
    tool differently when its server comes from a project's `.mcp.json` and when it comes from a plugin.
    The body replaces Claude Code's system prompt. A file cannot see its target, so the Guardian section is
    part of it under the condition that the target is Guardian.
    """
    prefixes = (f"mcp__{MCP_SERVER}__", f"mcp__plugin_{MCP_PLUGIN}_{MCP_SERVER}__")
    granted = [*CLAUDE_CODE_TOOLS, *(prefix + name for prefix in prefixes for name in tool_names)]
    front = (
        "---",
        f"name: {AGENT_NAME}",
        # A JSON string is a YAML string: the description holds colons and quotes.
        f"description: {json.dumps(load('delegation').strip(), ensure_ascii=False)}",
        f"tools: {', '.join(granted)}",
        "---",
    )
    body = _joined((*SECTIONS, "claude-code", "when-guardian", GUARDIAN))
    return "\n".join(front) + "\n\n" + body


def _joined(names: Sequence[str]) -> str:
    return "\n".join(load(name) for name in names)
