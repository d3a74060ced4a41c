"""The terminal as a place to write: finished blocks go into the scrollback, one line at the bottom is alive.

Only that one line is ever redrawn, so nothing flickers over ssh or in tmux, and what was written stays.
"""

from __future__ import annotations

import asyncio
import sys
import textwrap
import time
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final, TextIO

from rich.console import Console, ConsoleRenderable
from rich.segment import Segment, Segments
from rich.text import Text

from agent.terminal.calls import fit
from agent.terminal.markdown import Page
from agent.terminal.safe import harmless

WIDEST: Final = 100
"""Columns of running text; tables and reports may be wider than one reads comfortably, text may not."""

_FRAMES: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_CLEAR: Final = "\r\x1b[K"


class Screen:
    """Writes to one terminal. Every text from outside is made harmless here, whoever hands it in."""

    def __init__(self, *, color: bool, file: TextIO | None = None) -> None:
        self.color = color
        self.console = Console(
            file=file or sys.stdout,
            color_system="auto" if color else None,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._alive = self.console.is_terminal and not self.console.is_dumb_terminal
        self._doing = ""
        self._since = 0.0
        self._drawn = False
        self._paused = False
        self._last = "blank"
        self.waited = 0.0
        """Seconds spent on waiting for a person's answers."""

    @property
    def width(self) -> int:
        """Columns for text."""
        return min(self.console.width, WIDEST)

    def block(self, markdown: str) -> None:
        """Markdown, set apart by a blank line."""
        self.gap()
        self.draw(Page(markdown))

    def line(self, text: str | Text, style: str = "", kind: str = "line") -> None:
        """One or more lines, folded at words. A Text must be harmless already."""
        content = Text(harmless(text), style=style) if isinstance(text, str) else text
        self._print(content)
        self._last = kind

    def hanging(self, lines: Iterable[str], indent: int, style: str = "", kind: str = "line") -> None:
        """Lines of a list, each folded under its own text."""
        for line in lines:
            head, rest = harmless(line)[:indent], harmless(line)[indent:]
            folded = textwrap.wrap(rest, max(self.width - indent, 20)) or [""]
            self.line(head + f"\n{' ' * indent}".join(folded), style, kind)

    def draw(self, content: ConsoleRenderable) -> None:
        """Something that rich draws, without blank lines around it; its text must be harmless already."""
        lines = self.console.render_lines(content, self.console.options.update(width=self.width), pad=False)
        blank = [not "".join(segment.text for segment in line).strip() for line in lines]
        if False in blank:
            first, last = blank.index(False), len(blank) - blank[::-1].index(False)
            shown = [segment for line in lines[first:last] for segment in (*line, Segment.line())]
            self._print(Segments(shown), end="")

    def raw(self, text: str) -> None:
        """Text that carries our own colours already; what is not ours in it must be harmless."""
        self._wipe()
        self.console.file.write(text + "\n")
        self.console.file.flush()
        self._last = "line"

    def error(self, text: str) -> None:
        """One sentence in red."""
        self.line(text, "red")

    def note(self, text: str) -> None:
        """Something of less weight."""
        self.line(text, "dim")

    def gap(self, *, between: str = "") -> None:
        """A blank line, unless there is one, or the last line is of a kind that stays together."""
        if self._last not in ("blank", between):
            self._wipe()
            self.console.print()
            self._last = "blank"

    def touched(self) -> None:
        """Somebody else (the prompt, a pager) wrote the last line."""
        self._last = "line"

    def doing(self, what: str, *, restart: bool = False) -> None:
        """What the living line says; `restart` sets its clock to zero."""
        if restart or not self._doing:
            self._since = time.monotonic()
        self._doing = harmless(what)

    @asynccontextmanager
    async def busy(self, what: str) -> AsyncGenerator[None]:
        """Show the living line for as long as the block runs."""
        self.doing(what, restart=True)
        task = asyncio.create_task(self._spin()) if self._alive else None
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self._doing = ""
            self._wipe()

    @contextmanager
    def paused(self) -> Generator[None]:
        """No living line in here: a person is asked something."""
        self._paused = True
        self._wipe()
        began = time.monotonic()
        try:
            yield
        finally:
            self._paused = False
            self._since = time.monotonic()
            self.waited += self._since - began

    def _print(self, content: ConsoleRenderable, end: str = "\n") -> None:
        self._wipe()
        self.console.print(content, width=self.width, end=end)
        self._last = "line"

    async def _spin(self) -> None:
        frame = 0
        while True:
            if not self._paused:
                self._draw(_FRAMES[frame % len(_FRAMES)])
            frame += 1
            await asyncio.sleep(0.12)

    def _draw(self, mark: str) -> None:
        seconds = int(time.monotonic() - self._since)
        text = fit(f"{mark} {self._doing}", self.console.width - 8) + (f"  {seconds} s" if seconds else "")
        dim = f"\x1b[2m{text}\x1b[0m" if self.color else text
        self.console.file.write(_CLEAR + dim)
        self.console.file.flush()
        self._drawn = True

    def _wipe(self) -> None:
        if self._drawn:
            self.console.file.write(_CLEAR)
            self.console.file.flush()
            self._drawn = False
