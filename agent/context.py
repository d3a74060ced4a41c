"""What the model is told besides the conversation: the tools, and the circumstances of this turn.

What changes goes in front of the person's words, never into the system prompt: the system prompt, the tools
and the messages before stay as they were, byte for byte, so that the prompt cache holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.executor import Executor
from tools.registry import Tool


def definitions(catalogue: Mapping[str, Tool]) -> Sequence[Mapping[str, Any]]:
    """The tools as the Messages API takes them, in an order that stays."""
    return [
        {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}
        for _, tool in sorted(catalogue.items())
    ]


def turn_context(executor: Executor) -> str:
    """Today's date, the mode and the target, as a short block."""
    database = executor.resources.database_or_none
    target = "no database is connected"
    if database is not None:
        target = f"{database.target.label}, environment {database.target.environment}"
    return (
        "<session>\n"
        f"date: {executor.resources.now():%Y-%m-%d}\n"
        f"mode: {executor.approvals.mode}\n"
        f"target: {target}\n"
        "</session>"
    )
