"""Asks the person at the terminal for a yes: the exact action first, then the question."""

from __future__ import annotations

import asyncio
import shutil
import sys
import textwrap
from collections.abc import Callable
from typing import Final
from unicodedata import combining, east_asian_width

from agent.approvals import Answer, Asker, Decision, Request
from agent.terminal.interrupts import forget_typed
from tools.registry import Effect

LONG: Final = 40
"""Lines of an action that are shown at once: its beginning and its end; all of it on request."""

_END: Final = 12
_FACTS: Final = 16
"""Lines of what it touches, of the dry run or of the way back that are shown at once."""

QUESTION: Final = "Run it? [y] once  [s] for this session  [n] no (n because ...)  [v] view all: "


def question(
    request: Request, *, color: bool, whole: bool = False, highlight: Callable[[str], str] = str
) -> str:
    """What is about to happen, as text. `highlight` may colour the action.

    No line is wider than the screen: `┆` marks where one goes on, so that nothing hides beyond an edge and no
    text can pass for one of our own lines.
    """
    columns = max(min(shutil.get_terminal_size().columns, 110), 40)
    preview = request.preview
    mark = "31;1" if request.effect is Effect.DESTRUCTIVE else "33;1"
    word = "DESTRUCTIVE" if request.effect is Effect.DESTRUCTIVE else "change"
    first, *rest = fold(f"{request.tool}: {word}  on {preview.target}", columns)
    heading = f"{request.tool}: {word}"
    lines = ["", _paint(heading, mark, color) + first.removeprefix(heading), *rest]
    lines += _action(preview.action, columns - 4, whole=whole, highlight=highlight)
    for name, value in (
        ("touches", "\n".join(preview.touches)),
        ("effect", preview.consequence),
        ("dry run", preview.evidence),
        ("memory", "\n".join(request.warnings)),
        ("undo", preview.undo),
    ):
        if value:
            lines += _fact(name, value, columns - 11, whole=whole)
    lines.append(f"  digest   {request.digest[:16]}")
    return "\n".join(lines)


def _action(action: str, width: int, *, whole: bool, highlight: Callable[[str], str]) -> list[str]:
    pieces: list[str] = []
    leads: list[str] = []
    for line in action.splitlines() or [""]:
        folded = fold(line, width)
        pieces += folded
        leads += ["│", *["┆"] * (len(folded) - 1)]
    coloured = highlight("\n".join(pieces)).splitlines()
    shown = coloured if len(coloured) == len(pieces) else pieces
    lines = [f"  {lead} {piece}" for lead, piece in zip(leads, shown, strict=True)]
    if whole or len(lines) <= LONG:
        return lines
    count = f"{len(action.splitlines()):,} lines, {len(action):,} characters"
    hidden = (
        f"  … {len(lines) - LONG:,} of {len(lines):,} lines not shown ({count}): answer v to see all of it"
    )
    return [*lines[: LONG - _END], hidden, *lines[-_END:]]


def _fact(name: str, value: str, width: int, *, whole: bool) -> list[str]:
    wrapped = [part for line in value.splitlines() for part in textwrap.wrap(line, width) or [""]]
    folded = [piece for part in wrapped for piece in fold(part, width)]
    if not whole and len(folded) > _FACTS:
        folded = [*folded[: _FACTS - 1], f"… {len(folded) - _FACTS + 1} more lines: answer v to see them"]
    return [f"  {name:<8} {folded[0]}", *(f"           {line}" for line in folded[1:])]


def fold(line: str, width: int) -> list[str]:
    """The line in pieces that are no wider than the screen, which counts an ideograph as two."""
    pieces: list[str] = []
    piece, room = "", width
    for char in line.expandtabs(4):
        cells = 0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1
        if cells > room:
            pieces.append(piece)
            piece, room = "", width
        piece, room = piece + char, room - cells
    return [*pieces, piece]


def terminal_asker(*, color: bool) -> Asker | None:
    """An asker on stdin and stderr, or None when nobody sits there."""
    here: Callable[[], bool] = getattr(sys.stdin, "isatty", bool)  # a service's stdin may be closed: None
    if not (here() and sys.stderr.isatty()):
        return None

    async def ask(request: Request) -> Decision:
        print("\r\x1b[K" + question(request, color=color), file=sys.stderr)  # over a line of progress
        forget_typed(sys.stdin.fileno())
        while True:
            print(QUESTION, end="", file=sys.stderr, flush=True)
            word = await _line()
            decision = read_answer(word)
            if decision is not None:
                return decision
            if word.strip().lower() == "v":
                print(question(request, color=color, whole=True), file=sys.stderr)

    return ask


async def _line() -> str:
    """A line from the terminal. Waiting for it can be cancelled, which a blocked thread could not be."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline()


def read_answer(word: str) -> Decision | None:
    """The decision a typed word means; `n because ...` carries its reason. None: not an answer."""
    first, _, reason = word.strip().partition(" ")
    match first.lower():
        case "y" | "yes":
            return Decision(Answer.ONCE, by="person")
        case "s" | "session":
            return Decision(Answer.SESSION, by="person")
        case "n" | "no":
            return Decision(Answer.DENY, by="person", reason=reason.removeprefix("because ").strip())
        case "" if not word:
            return Decision(Answer.DENY, by="person", reason="the terminal was closed")
        case _:
            return None


def _paint(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
