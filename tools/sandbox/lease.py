"""File locks by which processes share one server.

`lock`   exclusive, short: held while somebody prepares, starts or stops the server
`users`  shared, long: held by every process that uses the server (its lease)

flock belongs to the open file, so the kernel releases it when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tools.errors import Unavailable

LOCK_SECONDS = 120.0


@contextmanager
def exclusive(path: Path, *, patience: float = LOCK_SECONDS) -> Generator[None]:
    """Hold the exclusive lock of `path`; Unavailable when somebody else holds it for `patience` seconds."""
    with path.open("a+") as file:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    message = f"The sandbox is being prepared by another user ({_holder(path)}) for too long."
                    raise Unavailable(message, hint=f"End it and try again; its lock is {path}.") from error
                time.sleep(0.01)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _holder(path: Path) -> str:
    words = path.read_text().strip()
    return f"process {words}" if words.isdigit() else "unknown process"


def is_held(path: Path) -> bool:
    """Whether somebody holds the exclusive lock of `path` right now."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


class Lease:
    """A share in the server: as long as it is held, nobody stops the server for being idle."""

    def __init__(self, users: Path, idle_seconds: float) -> None:
        self._file = users.open("a+")
        fcntl.flock(self._file, fcntl.LOCK_SH)
        self._file.truncate(0)
        self._file.write(f"{idle_seconds}")
        self._file.flush()

    def release(self) -> None:
        """Give the share back; the idle time counts from now. Calling it twice does no harm."""
        if self._file.closed:
            return
        os.utime(self._file.fileno())
        self._file.close()
