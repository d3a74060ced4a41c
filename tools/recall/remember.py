"""remember: a lesson into the memory bank, after a yes."""

from __future__ import annotations

import asyncio
from typing import Literal

from pydantic import Field

from memory import Category, Confidence, Draft, Source
from tools.errors import Refused
from tools.evidence import Evidence
from tools.recall.alike import look
from tools.recall.translate import translated
from tools.redaction import Redactor
from tools.registry import Effect, Params, Preview, Result, tool
from tools.resources import Resources


class Remember(Params):
    title: str = Field(min_length=8, max_length=160, description="The lesson in one line.")
    category: Category = Field(description="Where it belongs.")
    context: str = Field(default="", max_length=4000, description="The situation: what was seen, where.")
    action: str = Field(min_length=1, max_length=8000, description="What was done, exactly (SQL, settings).")
    result: str = Field(min_length=1, max_length=4000, description="What came of it, as measured.")
    outcome: Literal["worked", "failed", "partly"] = Field(description="The result in one word.")
    why: str = Field(default="", max_length=4000, description="Why it worked or failed.")
    tags: list[str] = Field(default_factory=list, max_length=12, description="A few words to find it by.")
    table: list[str] = Field(default_factory=list, description="Tables it applies to.")
    service: list[str] = Field(default_factory=list, description="Services it applies to.")
    confidence: Confidence = Field(default="medium", description="How sure you are, from what was shown.")


class Remembered(Result):
    id: str
    path: str
    merged: bool
    message: str

    def markdown(self) -> str:
        """One line."""
        return f"{self.message} ({self.id}, {self.path})"


async def preview_remember(params: Remember, resources: Resources) -> Preview:
    """The entry's text and source, and what the bank already says about the same thing.

    Raises InvalidInput for what is not worth keeping and Refused for what must not be kept: nobody is asked
    about an entry that could not be written.
    """
    bank, draft = resources.bank, _draft(params, resources.evidence)
    source = _source(resources.evidence)
    if objection := Redactor(strict=True).objection("\n".join(_words(params))):
        raise Refused(objection)
    with translated():
        known = await asyncio.to_thread(look, bank, draft, source, resources.now())
    return Preview(
        action="\n".join([*_words(params), f"Source: {source}"]),
        target=f"the memory bank in {bank.writable.root}" if bank.writable else "the memory bank",
        touches=known.touches,
        consequence=known.consequence,
        undo="sergei memory retire ID takes it out of recall; the result names ID and file.",
    )


@tool(Effect.WRITE, preview=preview_remember)
async def remember(params: Remember, resources: Resources) -> Remembered:
    """Write a lesson to the memory bank: what was done, what came of it, where it applies. A person is asked.

    Only what was shown by a tool's result, worked or failed. No patient's value and no secret: they are
    refused. The same lesson again is added to its entry as one more outcome.
    """
    draft, source = _draft(params, resources.evidence), _source(resources.evidence)
    with translated():
        saved = await asyncio.to_thread(resources.bank.add, draft, source=source, now=resources.now())
    resources.evidence.clear()
    return Remembered(id=saved.entry.id, path=str(saved.path), merged=saved.merged, message=saved.message)


def _draft(params: Remember, evidence: Evidence) -> Draft:
    last = evidence.cite().calls[1]
    scope = {name: names for name, names in (("table", params.table), ("service", params.service)) if names}
    return Draft(
        title=params.title,
        category=params.category,
        context=params.context,
        action=params.action,
        result=params.result,
        outcome=params.outcome,
        why=params.why,
        tags=params.tags,
        applies_to=scope,
        confidence=params.confidence,
        ref=f"call {last}" if last else "",
    )


def _words(params: Remember) -> list[str]:
    """The entry as a person reads it before it is kept: everything that will be written."""
    applies = [
        f"{name} {', '.join(names)}"
        for name, names in (("table", params.table), ("service", params.service))
        if names
    ]
    return [
        f"{params.title} ({params.category}, {params.outcome}, confidence {params.confidence})",
        *(f"Context: {params.context}",) * bool(params.context),
        f"Action: {params.action}",
        f"Result: {params.result}",
        *(f"Why: {params.why}",) * bool(params.why),
        *(f"Applies to: {'; '.join(applies)}",) * bool(applies),
        *(f"Tags: {', '.join(params.tags)}",) * bool(params.tags),
    ]


def _source(evidence: Evidence) -> Source:
    cited = evidence.cite()
    if cited.kind == "person":
        return Source("in conversation", "person")
    first, last = cited.calls
    ref = f"{cited.ref} (audited calls {first} to {last}), approved by a person"
    return Source(ref, "tool", f"sha256:{cited.digest[:16]}")
