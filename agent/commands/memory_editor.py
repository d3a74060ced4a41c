"""A text in the person's editor until it can be accepted. Whatever happens, the text is not lost."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from agent.commands.memory_access import Access, ask, note, somebody_there
from tools.errors import ConfigurationError, Conflict, InvalidInput, SergeiError, Unavailable

Accepted = TypeVar("Accepted")


class Declined(Exception):
    """The person does not want the text saved as it is."""


def edited(access: Access, name: str, text: str, take: Callable[[str], Accepted]) -> Accepted | None:
    """What `take` makes of the text as the person left it; None when it was left unchanged or declined.

    `take` raises a SergeiError for a text that cannot be; then the editor opens again on the same text, if
    the person wants. A text that is not accepted stays in the drafts folder, and the error names it.
    """
    file = _draft(access, name, text)
    while True:
        _open(access.settings.editor, file, text)
        found = _read(file)
        if found == text:
            file.unlink(missing_ok=True)
            note("Nothing was changed.")
            return None
        try:
            accepted = _taken(take, found)
        except Declined:
            note(f"Not saved. Your text is kept in {file}.")
            return None
        except SergeiError as error:
            # After a conflict the person has to look at the other text first.
            if not isinstance(error, Conflict) and _again(error):
                continue
            error.hint = f"{error.hint} Your text is kept in {file}; go on with --from {file}.".strip()
            raise
        file.unlink(missing_ok=True)
        return accepted


def _taken(take: Callable[[str], Accepted], text: str) -> Accepted:
    """`take`, with the bank's own errors as ours."""
    from tools.recall.translate import translated

    with translated():
        return take(text)


def _again(error: SergeiError) -> bool:
    if not somebody_there():
        return False
    note(f"{error}")
    return ask("Open it again?", ("yes", "no"), "yes") == "yes"


def _draft(access: Access, name: str, text: str) -> Path:
    """The file that is edited, readable by nobody else: a mistake may hold what must not be remembered."""
    folder = access.drafts
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1000):
            file = folder / f"{name}{f'-{number}' if number else ''}.md"
            with suppress(FileExistsError):
                descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as opened:
                    opened.write(text)
                return file
    except OSError as error:
        raise Unavailable(f"No draft can be kept in {folder} ({error.strerror}).") from None
    raise Unavailable(f"{folder} holds a thousand drafts called {name}; look through them.")


def _open(editor: str, file: Path, text: str) -> None:
    if editor == "vi" and not somebody_there():
        file.unlink(missing_ok=True)
        raise InvalidInput("There is no terminal for an editor.", hint="Give the text with --from FILE.")
    try:
        words = [*shlex.split(editor), str(file)]
        with _interrupts_for_the_editor():
            code = subprocess.run(words, check=False).returncode
    except ValueError:
        file.unlink(missing_ok=True)
        raise ConfigurationError(f"EDITOR is {editor!r}, which cannot be read: a quote is open.") from None
    except OSError as error:
        file.unlink(missing_ok=True)
        raise ConfigurationError(
            f"The editor {editor!r} cannot be started ({error.strerror}).", hint="Set EDITOR."
        ) from None
    if code:
        kept = _read(file) != text
        if not kept:
            file.unlink(missing_ok=True)
        raise Unavailable(
            f"The editor {editor!r} ended with {code}, so nothing was saved.",
            hint=f"Your text is kept in {file}." if kept else "",
        )


@contextmanager
def _interrupts_for_the_editor() -> Generator[None]:
    """Ctrl-C means something to an editor; it must not end us, and the editor with us.

    A function and not SIG_IGN, which the editor would inherit.
    """
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _read(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            return opened.read()
    except OSError as error:
        raise Unavailable(f"{file} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise InvalidInput(
            "The text is not UTF-8.", hint=f"It is kept in {file}; save it as UTF-8."
        ) from None


def settled(access: Access, name: str) -> None:
    """The text in this file is in the bank: one that waited in the drafts folder need not wait any more."""
    if Path(name).resolve().parent == access.drafts.resolve():
        Path(name).unlink(missing_ok=True)


def from_file(name: str) -> str:
    """The text of a file, or of the standard input for `-`."""
    if name == "-":
        return sys.stdin.read()
    try:
        with Path(name).open(encoding="utf-8", newline="") as opened:
            return opened.read()
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{name} is not UTF-8 text.", hint="Save it as UTF-8.") from None
