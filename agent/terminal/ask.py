"""Asks the person at the terminal for a yes: the exact action first, then the question."""

from __future__ import annotations

import asyncio
import shutil
import sys
import textwrap
from collections.abc import Callable
from typing import Final

from agent.approvals import Answer, Asker, Decision, Request
from tools.registry import Effect

LONG: Final = 40
"""Lines of an action that are shown at once; the rest on request, never cut silently."""

QUESTION: Final = "Run it? [y] once  [s] for this session  [n] no (n because ...)  [v] view all: "


def question(
    request: Request, *, color: bool, whole: bool = False, highlight: Callable[[str], str] = str
) -> str:
    """What is about to happen, as text. `highlight` may colour the action, whose lines are never folded."""
    columns = max(min(shutil.get_terminal_size().columns, 110), 40)
    preview = request.preview
    mark = "31;1" if request.effect is Effect.DESTRUCTIVE else "33;1"
    word = "DESTRUCTIVE" if request.effect is Effect.DESTRUCTIVE else "change"
    lines = ["", f"{_paint(f'{request.tool}: {word}', mark, color)}  on {preview.target}"]
    action = highlight(preview.action).splitlines()
    lines += [f"  │ {line}" for line in (action if whole else action[:LONG])]
    if len(action) > LONG and not whole:
        lines.append(f"  │ … {len(action) - LONG} more lines: answer v to see all of it")
    for name, value in (
        ("touches", ", ".join(preview.touches)),
        ("effect", preview.consequence),
        ("dry run", preview.evidence),
        ("undo", preview.undo),
    ):
        if value:
            folded = [
                part for line in value.splitlines() for part in textwrap.wrap(line, columns - 11) or [""]
            ]
            lines.append(f"  {name:<8} {folded[0]}")
            lines += [f"           {line}" for line in folded[1:]]
    lines.append(f"  digest   {request.digest[:16]}")
    return "\n".join(lines)


def terminal_asker(*, color: bool) -> Asker | None:
    """An asker on stdin and stderr, or None when nobody sits there."""
    here: Callable[[], bool] = getattr(sys.stdin, "isatty", bool)  # a service's stdin may be closed: None
    if not (here() and sys.stderr.isatty()):
        return None

    async def ask(request: Request) -> Decision:
        print(question(request, color=color), file=sys.stderr)
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
