"""recall: what the memory bank knows that helps here."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel, ConfigDict, Field

from memory import Recalled, recalled_as_markdown
from tools.recall.translate import translated
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources


class Recall(Params):
    query: str = Field(
        max_length=1000, description="What you look for: a problem, an error text, a table, a service."
    )
    table: list[str] = Field(default_factory=list, description="Tables at hand; entries about them move up.")
    service: list[str] = Field(default_factory=list, description="Services at hand, e.g. supabase, render.")
    limit: int = Field(default=5, ge=1, le=20, description="Entries at the most.")


class Memory(BaseModel):
    """One entry, and why it was returned."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    category: str
    score: float
    why: list[str]
    warning: str | None
    superseded_by: str | None
    text: str


class Memories(Result):
    entries: list[Memory]

    def markdown(self) -> str:
        """Each entry whole, best first."""
        if not self.entries:
            return "The memory bank has nothing on this."
        return "\n\n---\n\n".join(entry.text for entry in self.entries)


@tool(Effect.READ)
async def recall(params: Recall, resources: Resources) -> Memories:
    """Search the memory bank: past fixes and failures, deployment patterns, database optimizations, security
    configurations, performance tuning.

    Call it before working on a problem and before a risky change. An entry is experience, not proof: check it
    against the present target.
    """
    scope = {name: names for name, names in (("table", params.table), ("service", params.service)) if names}
    with translated():
        found = await asyncio.to_thread(
            resources.bank.recall, params.query, now=resources.now(), applies_to=scope, limit=params.limit
        )
        await asyncio.to_thread(resources.recalled, [one.entry.id for one in found])
    return Memories(entries=[_memory(one) for one in found])


def _memory(found: Recalled) -> Memory:
    return Memory(
        id=found.entry.id,
        title=found.entry.title,
        category=found.entry.category,
        score=round(found.score, 3),
        why=list(found.why),
        warning=found.warning,
        superseded_by=found.superseded_by,
        text=recalled_as_markdown(found),
    )
