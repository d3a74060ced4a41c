"""What the model is told besides the conversation: the tools, and the circumstances of this turn.

    session (when it changed) · what came of an offered lesson · what memory knows · the person's words

What changes goes in front of the person's words, never into the system prompt: the system prompt, the tools
and the messages before stay as they were, byte for byte, so that the prompt cache holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.events import Event, Notice, Remembered
from agent.executor import Executor
from agent.recollection import recollect
from tools.errors import SergeiError
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


@dataclass(slots=True)
class Circumstances:
    """What goes in front of a person's words. Each thing is said once in a conversation.

    `aside` is told with the next words: what happened since the last reply that the history does not hold.
    """

    aside: str = ""
    _context: str = ""
    _told: set[str] = field(default_factory=set[str])

    async def of(self, executor: Executor, words: str) -> tuple[Sequence[str], Sequence[Event]]:
        """The texts for the model, and what the person is to see of them."""
        texts: list[str] = []
        if (context := turn_context(executor)) != self._context:
            self._context = context
            texts.append(context)
        if self.aside:
            texts.append(f"<session>\n{self.aside}\n</session>")
            self.aside = ""
        try:
            found = await recollect(executor.resources, executor.redactor, words, told=self._told)
        except SergeiError as error:
            return texts, [Notice(f"Memory could not be asked: {error}")]
        if found is None:
            return texts, []
        self._told |= found.ids
        return [*texts, found.text], [Remembered(found.titles)]
