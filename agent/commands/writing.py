"""What the commands share: the result of a call, and where a report goes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from agent.executor import Outcome
from tools.errors import InvalidInput, RemoteError, SergeiError, Unavailable
from tools.registry import Result

ResultT = TypeVar("ResultT", bound=Result)


def expect(outcome: Outcome, kind: type[ResultT]) -> ResultT:
    """The result of a call; its failure as the error it was."""
    if isinstance(outcome.result, kind):
        return outcome.result
    failure = outcome.failure
    if failure is None:
        raise RemoteError(f"{outcome.tool} did not return what it should.")
    kinds = {one.kind: one for one in SergeiError.__subclasses__()}
    raise kinds.get(failure.kind, RemoteError)(failure.message, hint=failure.hint, code=failure.code)


def writable(name: str | None, flag: str = "--output") -> Path | None:
    """The output file, refused before any work when it cannot be written; None for the terminal."""
    if name is None or name == "-":
        return None
    path = Path(name)
    place = path if path.exists() else path.parent
    if not name or path.is_dir() or not place.exists() or not os.access(place, os.W_OK):
        raise InvalidInput(f"{flag} {name!r} cannot be written.", hint="Give a file in an existing folder.")
    return path


def deliver(report: str, output: Path | None, summary: str) -> None:
    """Print the report, or write it and say so. Raises Unavailable, for instance when the disk is full."""
    if output is None:
        with suppress(BrokenPipeError):  # of `... | head` the exit code still tells
            print(report.rstrip("\n"), flush=True)
        return
    try:
        output.write_text(report.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"The report cannot be written to {output} ({error.strerror}).") from None
    print(f"{summary} Written to {output}.", file=sys.stderr)
