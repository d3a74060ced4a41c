"""Texts that are made from the code: a test holds them, `python -m tests.refresh` writes them anew."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import prompts
from agent.cli import build_parser
from agent.commands import rules, tools
from tools import catalogue

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
AGENT = ROOT / ".claude" / "agents" / "infrastructure-sergei.md"
SCHEMAS = ROOT / "tests" / "golden" / "tools.json"
REFRESH = "python -m tests.refresh"


@dataclass(frozen=True, slots=True)
class Document:
    """A file and the text it should hold."""

    path: Path
    text: str


def documents() -> Iterator[Document]:
    """Every generated text. A README block keeps what stands around it."""
    readme = README.read_text(encoding="utf-8")
    blocks = {
        "help": build_parser().format_help(),
        "tools": tools.listing(),
        "rules": rules.listing(),
    }
    for name, text in blocks.items():
        readme = with_block(readme, name, text)
    yield Document(README, readme)
    yield Document(AGENT, prompts.agent_file(agent_tools()))
    schemas = {
        tool.name: {
            "description": tool.description,
            "effect": tool.effect,
            "input": tool.input_schema,
            "output": tool.output_schema,
        }
        for tool in catalogue().values()
    }
    yield Document(SCHEMAS, json.dumps(schemas, indent=1) + "\n")


def agent_tools() -> tuple[str, ...]:
    """The tools that Claude Code's own do not cover."""
    return tuple(tool.name for tool in catalogue().values() if tool.domain != "workspace")


def with_block(text: str, name: str, content: str) -> str:
    """The text with the content between `<!-- name -->` and `<!-- /name -->` as a code block."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise LookupError(f"the README has no block called {name}")
    return pattern.sub(lambda found: f"{found[1]}```text\n{content.rstrip()}\n```\n{found[2]}", text)
