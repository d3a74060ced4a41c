"""grep and glob: find text and files in the workspace."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import PurePosixPath
from typing import Final

from pydantic import Field

from tools.errors import InvalidInput, Unavailable
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources
from tools.workspace.jail import Workspace
from tools.workspace.read_file import MOST_BYTES

SECONDS: Final = 10.0
LINE_CHARS: Final = 300


class Grep(Params):
    pattern: str = Field(
        min_length=1, max_length=500, description="Python regular expression, or plain text."
    )
    path: str = Field(default=".", description="File or folder to look in.")
    files: str = Field(default="*", description="Only file names that match this pattern, e.g. *.sql.")
    ignore_case: bool = Field(default=False, description="Ignore upper and lower case.")
    limit: int = Field(default=100, ge=1, le=500, description="Matching lines at the most.")


class Match(Result):
    path: str
    line: int
    text: str


class Matches(Result):
    matches: list[Match]
    files_searched: int
    truncated: bool

    def markdown(self) -> str:
        """path:line: text, one match a line."""
        if not self.matches:
            return f"No match in {self.files_searched} files."
        lines = [f"{m.path}:{m.line}: {m.text}" for m in self.matches]
        return "\n".join(lines) + ("\n(more matches left out)" if self.truncated else "")


@tool(Effect.READ)
async def grep(params: Grep, resources: Resources) -> Matches:
    """Find lines of workspace files that match a regular expression.

    Binary files, secrets files, .git and dependency folders are left out.
    """
    try:
        pattern = re.compile(params.pattern, re.IGNORECASE if params.ignore_case else 0)
    except re.error as error:
        raise InvalidInput(f"`pattern` is not a regular expression: {error}.") from None
    return await asyncio.to_thread(_search, resources.workspace, params, pattern)


def _search(workspace: Workspace, params: Grep, pattern: re.Pattern[str]) -> Matches:
    start = workspace.resolve(params.path)
    found: list[Match] = []
    searched, deadline = 0, time.monotonic() + SECONDS
    for file in [start] if start.is_file() else workspace.files(start):
        if not PurePosixPath(file.name).match(params.files) or file.stat().st_size > MOST_BYTES:
            continue
        content = file.read_bytes()
        if b"\0" in content[:8192]:
            continue
        searched += 1
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
            if time.monotonic() > deadline:
                raise Unavailable(f"The search took more than {SECONDS:.0f} s.", hint="Give a narrower path.")
            if pattern.search(line[:2000]):
                if len(found) == params.limit:
                    return Matches(matches=found, files_searched=searched, truncated=True)
                text = line.strip()[:LINE_CHARS]
                found.append(Match(path=workspace.name(file), line=number, text=text))
    return Matches(matches=found, files_searched=searched, truncated=False)


class Glob(Params):
    pattern: str = Field(
        min_length=1, max_length=300, description="Pattern, e.g. supabase/migrations/*.sql or **/*.ts."
    )
    limit: int = Field(default=200, ge=1, le=1000, description="Files at the most.")


class Files(Result):
    files: list[str]
    truncated: bool

    def markdown(self) -> str:
        """One path a line."""
        if not self.files:
            return "No file matches."
        return "\n".join(self.files) + ("\n(more left out)" if self.truncated else "")


@tool(Effect.READ)
async def glob(params: Glob, resources: Resources) -> Files:
    """List workspace files whose path matches a pattern; ** crosses folders.

    Secrets files, .git and dependency folders are left out.
    """
    if params.pattern.startswith(("/", "~")) or ".." in PurePosixPath(params.pattern).parts:
        raise InvalidInput("`pattern` must stay inside the workspace.")
    return await asyncio.to_thread(_list, resources.workspace, params)


def _list(workspace: Workspace, params: Glob) -> Files:
    pattern = re.compile(_regex(params.pattern))
    names = (
        workspace.name(file) for file in workspace.files(workspace.root) if workspace.root in file.parents
    )
    found = [name for name in names if pattern.fullmatch(name)]
    return Files(files=found[: params.limit], truncated=len(found) > params.limit)


def _regex(pattern: str) -> str:
    """A glob as a regular expression. (pathlib's own ** needs Python 3.13.)"""
    parts: list[str] = []
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", pattern):
        match token:
            case "**/":
                parts.append(r"(?:[^/]+/)*")
            case "**":
                parts.append(r".*")
            case "*":
                parts.append(r"[^/]*")
            case "?":
                parts.append(r"[^/]")
            case _:
                parts.append(token if token.startswith("[") and len(token) > 1 else re.escape(token))
    return "".join(parts)
