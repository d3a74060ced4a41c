"""One deploy of a service at a time on this machine. The kernel drops the lock when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tools.errors import Conflict, Unavailable


@contextmanager
def exclusive(folder: Path, service: str, what: str, now: datetime) -> Generator[None]:
    """Hold the service. Raises Conflict naming who holds it, Unavailable when the disk refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder / f"{service}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written ({error.strerror}): no deploy without it.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(
                f"{_holder(descriptor)} is already at work on {service} from this machine.",
                hint="Wait until it is through; calling again then looks at what came of it.",
            ) from None
        holder = {"pid": os.getpid(), "what": what, "since": now.isoformat(timespec="seconds")}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    try:
        held = json.loads(os.pread(descriptor, 1_000, 0))
        return f"{held['what']} (process {held['pid']}, since {held['since']})"
    except (ValueError, KeyError, TypeError, OSError):
        return "Another process"
