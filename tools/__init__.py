"""Floor 2: what Sergei can do. Knows Postgres, Supabase and Render; never a model, never a terminal.

The catalogue is an explicit list of domains, in the order people read it. Domains load on first use, so that
`sergei --help` pays for none of them.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tools.registry import Tool

DOMAINS: Final = ("database", "rls", "render", "supabase", "recall", "workspace")
"""Folders of tools; each has a `TOOLS` tuple in its `__init__.py`."""


@cache
def catalogue() -> dict[str, Tool]:
    """Every tool by name, in catalogue order. Two tools of one name are a programming error."""
    tools: dict[str, Tool] = {}
    for domain in DOMAINS:
        for tool in import_module(f"tools.{domain}").TOOLS:
            if tool.name in tools:
                raise TypeError(f"two tools are called {tool.name}")
            tools[tool.name] = tool
    return tools
