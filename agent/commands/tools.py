"""`sergei tools`: the catalogue."""

from __future__ import annotations

import argparse
import json

from tools import catalogue
from tools.registry import Effect


def run(args: argparse.Namespace) -> int:
    """One line a tool, by domain; or the whole definitions as JSON."""
    if args.format == "json":
        definitions = [
            {
                "name": tool.name,
                "domain": tool.domain,
                "effect": tool.effect,
                "description": tool.description,
                "input_schema": tool.input_schema,
                "output_schema": tool.output_schema,
            }
            for tool in catalogue().values()
        ]
        print(json.dumps(definitions, indent=2))
        return 0
    print(listing())
    return 0


def listing() -> str:
    """The catalogue for people: the README holds the same text."""
    lines: list[str] = []
    domain = ""
    for tool in catalogue().values():
        if tool.domain != domain:
            domain = tool.domain
            lines += ["", domain] if lines else [domain]
        asks = "" if tool.effect is Effect.READ else " [asks]"
        lines.append(f"  {tool.name:<16} {tool.summary}{asks}")
    return "\n".join(lines)
