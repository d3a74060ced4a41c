"""Small tools for tests of the gate and the faces."""

from __future__ import annotations

from pydantic import Field

from tools.registry import Effect, Params, Preview, Result, tool
from tools.resources import Resources

CALLS: list[str] = []
"""What really ran, seen from outside the gate."""


class Word(Params):
    word: str = Field(default="hello", description="Any word.")


class Said(Result):
    text: str

    def markdown(self) -> str:
        """The text itself."""
        return self.text


@tool(Effect.READ)
async def say(params: Word, resources: Resources) -> Said:
    """Say a word back."""
    CALLS.append(params.word)
    return Said(text=params.word)


@tool(Effect.READ)
async def stumble(params: Word, resources: Resources) -> Said:
    """Fail with a defect whose text holds a value."""
    raise RuntimeError(f"the patient is {params.word}")


async def preview_write(params: Word, resources: Resources) -> Preview:
    """What `write` would do."""
    return Preview(action=f"write {params.word}", target="nowhere", undo="unwrite it")


@tool(Effect.WRITE, preview=preview_write)
async def write(params: Word, resources: Resources) -> Said:
    """Write a word down."""
    CALLS.append(f"wrote {params.word}")
    return Said(text=f"wrote {params.word}")


TOYS = {toy.name: toy for toy in (say, stumble, write)}
