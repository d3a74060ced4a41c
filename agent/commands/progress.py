"""What is going on during long work, on one line of stderr, for a person only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TextIO

from agent.terminal.safe import harmless


@contextmanager
def progress_line(stream: TextIO | None = None) -> Generator[Callable[[str], None]]:
    """A callable that shows its text in place of the last one; nothing where stderr is no terminal."""
    out = sys.stderr if stream is None else stream
    if not out.isatty():
        yield lambda _: None
        return

    def show(text: str) -> None:
        out.write(f"\r\x1b[2K  {harmless(text)[:100]}")
        out.flush()

    try:
        yield show
    finally:
        out.write("\r\x1b[2K")
        out.flush()
