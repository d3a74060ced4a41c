"""`sergei chat`: talk to Sergei, or ask him one question with -p.

Exit codes: 0, 2 usage or configuration, 3 the model or the database cannot be reached or the answer is not
whole, 4 the model declined, 130 interrupted, 143 ended by a signal.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import stat
import sys
from collections.abc import Coroutine
from io import TextIOWrapper
from typing import Any, Final

from agent import settings as settings_module
from agent.approvals import Mode
from agent.compose import Choice
from agent.settings import Settings
from agent.terminal.opening import KEYLESS, Opening
from tools.errors import InvalidInput

LONGEST: Final = 400_000
"""Characters of a question with its piped text: about half of what a model can take."""


def run(args: argparse.Namespace) -> int:
    """One question with -p, else a conversation."""
    if args.max_turns < 1:
        raise InvalidInput("--max-turns must be at least 1.")
    settings = settings_module.load()
    choice = Choice(args.database_url, args.demo)
    opening = Opening(
        mode=Mode(args.mode) if args.mode else None,
        model=args.model,
        max_turns=args.max_turns,
        latest=args.latest,
        resume=args.resume,
        flags=_flags(choice),
    )
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # without UTF-8 a letter is lost, not the answer
    if args.question is not None:
        return _ask_once(settings, choice, opening, args.question, args.output_format)
    if args.output_format != "text":
        raise InvalidInput("--output-format is for one question.", hint="Add -p QUESTION.")
    return _converse(settings, choice, opening)


def talk(settings: Settings, choice: Choice) -> int:
    """A new conversation about this target. The exit code."""
    return _converse(settings, choice, Opening(flags=_flags(choice)))


def _converse(settings: Settings, choice: Choice, opening: Opening) -> int:
    if not (os.isatty(0) and os.isatty(1)):
        raise InvalidInput(
            "A conversation needs a terminal.", hint="Ask one question instead: sergei chat -p QUESTION"
        )
    from agent.terminal.interrupts import quiet

    with quiet(0):  # at once: what is typed while the rest loads belongs to the prompt
        from agent.terminal.chat import chat

        try:
            return _run(chat(settings, choice, opening))
        except asyncio.CancelledError:
            return 143


def _ask_once(settings: Settings, choice: Choice, opening: Opening, question: str, output: str) -> int:
    from agent.terminal.once import once

    if not settings.api_key:
        print("\n".join(KEYLESS), file=sys.stderr)
        return 2
    text = "\n\n".join(part for part in (question.strip(), _piped()) if part)
    if not text:
        raise InvalidInput("There is nothing to ask.", hint="sergei chat -p QUESTION")
    if len(text) > LONGEST:
        raise InvalidInput(f"The question has {len(text):,} characters; {LONGEST:,} are the most.")
    return _run(once(settings, choice, opening, text, output))


def _run(work: Coroutine[Any, Any, int]) -> int:
    """Run it, and let the process end at once afterwards.

    Python looks through every object at its end; with the SDK's thousands of classes that takes a second.
    """
    try:
        return asyncio.run(work)
    finally:
        gc.freeze()


def _piped() -> str:
    """What was piped or redirected into us. A terminal, or what else may be there, is not read."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:  # a service may have closed it
        return ""
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)):
        return ""
    return sys.stdin.buffer.read().decode("utf-8", errors="replace").strip()


def _flags(choice: Choice) -> str:
    return " --demo" if choice.demo else " --database-url URL" if choice.database_url else ""
