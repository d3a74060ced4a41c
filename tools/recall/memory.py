"""memory: the bank for clients that expect Anthropic's memory tool. Offered only when asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from memory import Bank, BankUnavailable
from tools.recall.notebook import Notebook, Plan
from tools.recall.translate import translated
from tools.redaction import Redactor
from tools.registry import Effect, Params, Preview, Result, tool
from tools.resources import Resources

_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "view": ("path",),
    "create": ("path", "file_text"),
    "str_replace": ("path", "old_str", "new_str"),
    "insert": ("path", "insert_line", "insert_text"),
    "delete": ("path",),
    "rename": ("old_path", "new_path"),
}


class Memory(Params):
    command: Literal["view", "create", "str_replace", "insert", "delete", "rename"]
    path: str | None = Field(default=None, description="A file or folder, e.g. /memories/problem-solutions.")
    view_range: list[int] | None = Field(
        default=None, description="view: first and last line, -1 for the end."
    )
    file_text: str | None = Field(default=None, description="create: the whole text.")
    old_str: str | None = Field(default=None, description="str_replace: a passage that occurs once.")
    new_str: str | None = Field(default=None, description="str_replace: what stands there afterwards.")
    insert_line: int | None = Field(default=None, description="insert: after this line; 0 is the beginning.")
    insert_text: str | None = Field(default=None, description="insert: the new lines.")
    old_path: str | None = Field(default=None, description="rename: where it lies.")
    new_path: str | None = Field(default=None, description="rename: where it goes.")

    @model_validator(mode="after")
    def _complete(self) -> Memory:
        missing = [name for name in _NEEDS[self.command] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{self.command} needs {' and '.join(missing)}")
        return self


class Said(Result):
    text: str

    def markdown(self) -> str:
        """The protocol's answer."""
        return self.text


def _only_looks(params: Memory) -> bool:
    return params.command == "view"


async def preview_memory(params: Memory, resources: Resources) -> Preview:
    """The change in words. What cannot be done is said before anybody is asked."""
    bank = _bank(resources)
    with translated():
        plan = await asyncio.to_thread(_planned(params, _notebook(bank), resources))
    return Preview(
        action=plan.action,
        target=f"the memory bank in {bank.root}",
        touches=plan.touches,
        undo="sergei memory log and restore; a deleted file is retired, not destroyed.",
        destructive=params.command == "delete",
    )


@tool(Effect.WRITE, preview=preview_memory, looks=_only_looks)
async def memory(params: Memory, resources: Resources) -> Said:
    """The memory bank as files under /memories: view, create, str_replace, insert, delete, rename.

    A category folder holds entries: front matter with id, title, category, and sections Context, Action,
    Result, Why; view one before writing one. Other files are notes. A person is asked before each change.
    No patient's value, no secret. To search, use recall; to keep a lesson, remember.
    """
    notebook = _notebook(_bank(resources))
    with translated():
        if params.command == "view":
            text = await asyncio.to_thread(notebook.view, params.path or "", params.view_range)
        else:
            text = await asyncio.to_thread(notebook.carry_out, _planned(params, notebook, resources))
    return Said(text=text)


def _bank(resources: Resources) -> Bank:
    writable = resources.bank.writable
    if writable is None:
        with translated():
            raise BankUnavailable("There is no memory bank to write to; name a folder for one.")
    return writable


def _notebook(bank: Bank) -> Notebook:
    return Notebook(bank, Redactor(strict=True).objection)


def _planned(params: Memory, notebook: Notebook, resources: Resources) -> Callable[[], Plan]:
    given: dict[str, Any] = params.model_dump()
    now = resources.now()
    plans: dict[str, Callable[[], Plan]] = {
        "create": lambda: notebook.create(given["path"], given["file_text"]),
        "str_replace": lambda: notebook.str_replace(given["path"], given["old_str"], given["new_str"]),
        "insert": lambda: notebook.insert(given["path"], given["insert_line"], given["insert_text"]),
        "delete": lambda: notebook.delete(given["path"], now),
        "rename": lambda: notebook.rename(given["old_path"], given["new_path"]),
    }
    return plans[params.command]
