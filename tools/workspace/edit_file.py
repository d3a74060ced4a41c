"""edit_file: replace one passage of a file, or write a new file, after a yes."""

from __future__ import annotations

import difflib
import os
import tempfile
from pathlib import Path

from pydantic import Field

from tools.errors import Conflict, InvalidInput
from tools.registry import Effect, Params, Preview, Result, tool
from tools.resources import Resources
from tools.workspace.read_file import read_text


class EditFile(Params):
    path: str = Field(description="File, relative to the workspace.")
    old: str = Field(
        default="", description="Exact passage to replace; it must occur once. Empty: a new file."
    )
    new: str = Field(description="What stands there afterwards.")


class Edited(Result):
    path: str
    created: bool
    added_lines: int
    removed_lines: int

    def markdown(self) -> str:
        """One line."""
        verb = "Created" if self.created else "Changed"
        return f"{verb} {self.path} (+{self.added_lines} -{self.removed_lines} lines)."


def _change(params: EditFile, resources: Resources) -> tuple[Path, str | None, str]:
    """The real path, the text before (None for a new file) and the text after."""
    real = resources.workspace.resolve(params.path)
    if not params.old:
        if real.exists():
            raise InvalidInput(f"{params.path} exists; give the passage to replace as `old`.")
        return real, None, params.new
    before = read_text(resources.workspace.file(params.path).read_bytes(), params.path)
    count = before.count(params.old)
    if count != 1:
        found = "does not occur" if count == 0 else f"occurs {count} times"
        raise InvalidInput(f"`old` {found} in {params.path}; it must occur exactly once.")
    return real, before, before.replace(params.old, params.new)


def _consequence(path: str) -> str:
    if Path(path).name == "sergei.toml":
        return "This file decides what Sergei may do and see from the next start on."
    if {".git", ".github", ".claude", ".husky"} & set(Path(path).parts):
        return "What stands in this folder is run or obeyed by other programs."
    return ""


def _diff(path: str, before: str | None, after: str) -> list[str]:
    old = [] if before is None else before.splitlines()
    return list(difflib.unified_diff(old, after.splitlines(), path, path, lineterm="", n=3))


async def preview_edit_file(params: EditFile, resources: Resources) -> Preview:
    """The change as a unified diff."""
    real, before, after = _change(params, resources)
    return Preview(
        action="\n".join(_diff(params.path, before, after)) or "(no visible change)",
        target=str(real),
        touches=(params.path,),
        consequence=_consequence(params.path),
        undo=f"git checkout -- {params.path}" if before is not None else f"rm {params.path}",
    )


@tool(Effect.WRITE, preview=preview_edit_file)
async def edit_file(params: EditFile, resources: Resources) -> Edited:
    """Replace one exact passage of a workspace file, or create a new file. A person is asked first.

    Read the file before; `old` must occur exactly once. Not for running SQL: use change_sql.
    """
    real, before, after = _change(params, resources)
    replace(real, before, after)
    diff = _diff(params.path, before, after)[2:]
    return Edited(
        path=params.path,
        created=before is None,
        added_lines=sum(line.startswith("+") for line in diff),
        removed_lines=sum(line.startswith("-") for line in diff),
    )


def replace(real: Path, before: str | None, after: str) -> None:
    """Write atomically, keeping the file's mode. Raises Conflict if it changed since it was read."""
    real.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(after.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        now = real.read_bytes().decode("utf-8", "replace") if real.exists() else None
        if now != before:
            raise Conflict(f"{real.name} changed while it was being edited; nothing was written.")
        Path(temporary).chmod(real.stat().st_mode & 0o7777 if before is not None else 0o644)
        Path(temporary).replace(real)
    finally:
        Path(temporary).unlink(missing_ok=True)
