"""read_file: a text file of the workspace."""

from __future__ import annotations

from pydantic import Field

from tools.errors import InvalidInput
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources

MOST_BYTES = 2_000_000


class ReadFile(Params):
    path: str = Field(description="File, relative to the workspace.")
    start: int = Field(default=1, ge=1, description="First line to return.")
    lines: int = Field(default=400, ge=1, le=2000, description="How many lines at the most.")


class FileText(Result):
    path: str
    start: int
    total_lines: int
    text: str

    def markdown(self) -> str:
        """The lines, numbered, so that an edit can name them."""
        body = "\n".join(f"{n:>5} {line}" for n, line in enumerate(self.text.splitlines(), start=self.start))
        shown = len(self.text.splitlines())
        rest = self.total_lines - (self.start - 1) - shown
        more = f"\n({rest} more lines; start={self.start + shown})" if rest > 0 else ""
        return f"{self.path} ({self.total_lines} lines)\n```\n{body}\n```{more}"


@tool(Effect.READ)
async def read_file(params: ReadFile, resources: Resources) -> FileText:
    """Read a text file of the workspace, by lines.

    For migrations, policies, render.yaml, code. Not for finding text in many files: use grep.
    """
    text = read_text(resources.workspace.file(params.path).read_bytes(), params.path)
    lines = text.splitlines()
    chosen = lines[params.start - 1 : params.start - 1 + params.lines]
    return FileText(path=params.path, start=params.start, total_lines=len(lines), text="\n".join(chosen))


def read_text(content: bytes, path: str) -> str:
    """UTF-8 text, or InvalidInput for what is too large or not text."""
    if len(content) > MOST_BYTES:
        raise InvalidInput(f"{path} has {len(content):,} bytes; at most {MOST_BYTES:,} are read.")
    if b"\0" in content[:8192]:
        raise InvalidInput(f"{path} is a binary file.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text (byte {error.start}).") from None
