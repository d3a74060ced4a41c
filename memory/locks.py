"""One writer at a time in a folder, across processes, and across machines that share it.

The kernel's lock is dropped when its holder dies, however it dies. Where the filesystem has none (a share),
a lock file names its owner and is renewed while it is held; one that was not renewed for long,
or whose process on this machine is gone, is taken over.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from memory.errors import BankConflict

EXPIRES = 30.0
"""Seconds after which an owner that does not renew its lock file counts as dead."""
_UNSUPPORTED = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
_PAUSE = 0.003

Flock = Callable[[int, int], None]


@dataclass(slots=True)
class Held:
    """A lock that is held, until `release`."""

    release: Callable[[], None]


def take(path: Path, wait: float, *, flock: Flock = fcntl.flock, expires: float = EXPIRES) -> Held:
    """The lock at `path`. BankConflict after `wait` seconds of somebody else, OSError as the disk says."""
    deadline = time.monotonic() + wait
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Somebody may have deleted the file (git clean): then the lock we hold guards nothing.
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                return Held(partial(os.close, descriptor))
        except BlockingIOError:
            pass
        except OSError as error:
            os.close(descriptor)
            if error.errno not in _UNSUPPORTED:
                raise
            return _take_file(path.with_name(f"{path.name}.owner"), deadline, wait, expires)
        os.close(descriptor)
        _pause(path, deadline, wait, "")


def _pause(path: Path, deadline: float, wait: float, owner: str) -> None:
    if time.monotonic() > deadline:
        who = f"{owner} has" if owner else "Another process has"
        raise BankConflict(f"{who} held the memory bank {path.parent} for {wait:g} s; try again.")
    time.sleep(_PAUSE)


@dataclass(frozen=True, slots=True)
class _Owner:
    host: str
    pid: int
    token: str

    @property
    def name(self) -> str:
        return f"Process {self.pid} on {self.host}"


def _take_file(path: Path, deadline: float, wait: float, expires: float) -> Held:
    me = _Owner(socket.gethostname(), os.getpid(), secrets.token_hex(8))
    words = json.dumps({"host": me.host, "pid": me.pid, "token": me.token}).encode()
    while not _created(path, words):
        owner = _owner(path)
        if owner is None:
            continue  # released meanwhile
        if _is_dead(path, owner, me.host, expires):
            # Moved aside first: of two that find it dead only one gets it, and never a living one's.
            aside = path.with_name(f"{path.name}.{me.token}")
            with suppress(FileNotFoundError):
                path.rename(aside)
                if (moved := _owner(aside)) and moved.token != owner.token:
                    with suppress(FileExistsError):
                        os.link(aside, path)
                aside.unlink(missing_ok=True)
            continue
        _pause(path, deadline, wait, owner.name)
    stopped = threading.Event()
    threading.Thread(target=_renew, args=(path, me, stopped, expires / 4), daemon=True).start()

    def release() -> None:
        stopped.set()
        if (owner := _owner(path)) and owner.token == me.token:
            path.unlink(missing_ok=True)

    return Held(release)


def _created(path: Path, words: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return False
    try:
        os.write(descriptor, words)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True


def _renew(path: Path, me: _Owner, stopped: threading.Event, every: float) -> None:
    while not stopped.wait(every):
        owner = _owner(path)
        if owner is None or owner.token != me.token:
            return
        with suppress(OSError):
            os.utime(path)


def _owner(path: Path) -> _Owner | None:
    """Who the lock file names; an owner without a name when it is half written; None when it is gone."""
    try:
        fields: Any = json.loads(path.read_bytes() or b"{}")
        return _Owner(str(fields["host"]), int(fields["pid"]), str(fields["token"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return _Owner("another machine", 0, "")


def _is_dead(path: Path, owner: _Owner, host: str, expires: float) -> bool:
    try:
        if time.time() - path.stat().st_mtime > expires:
            return True
    except FileNotFoundError:
        return False
    if owner.host != host or owner.pid <= 0:
        return False
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
