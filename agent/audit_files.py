"""The audit log's files: the open one, the closed ones before it, and the marks beside them.

    audit.jsonl                 being written; append-only, mode 0600
    audit-20260131-1.jsonl      closed by rotation; the chain goes on in the next file
    audit.anchors               the first line is where the chain stands, then a mark per anchor; mode 0600

Whoever writes holds a lock on the marks' file, which is never renamed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from agent.audit_chain import Mark, mark_of, parsed

_MARK_BYTES: Final = 78  # twelve digits, a space, a hash, a newline
_TAIL_BYTES: Final = 65_536  # more than most records; where the last one is longer, more is read


@dataclass(frozen=True, slots=True)
class Tail:
    """How a file ends: its last whole record's mark (None: no record), and what was torn off after it."""

    mark: Mark | None
    torn: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """One file as it was when the log was locked: its size then, and a descriptor that outlives a rename."""

    name: str
    descriptor: int
    size: int

    def lines(self) -> Iterator[bytes]:
        """Its lines, without their newline."""
        left = self.size
        with os.fdopen(os.dup(self.descriptor), "rb") as file:
            file.seek(0)
            for line in file:
                left -= len(line)
                if left < 0:
                    return
                yield line.removesuffix(b"\n")


def marks_file(path: Path) -> Path:
    """The file of marks beside the log at `path`."""
    return path.with_suffix(".anchors")


def closed_files(path: Path) -> list[Path]:
    """The files that were rotated away, oldest first."""
    named = re.compile(re.escape(path.stem) + r"-\d{8}-\d+\.jsonl")
    return sorted((file for file in path.parent.glob("*.jsonl") if named.fullmatch(file.name)), key=_order)


def next_name(path: Path, day: date) -> Path:
    """What the open file is called once it is closed: after the earlier ones, even if a clock goes back."""
    stamp, number = max([(f"{day:%Y%m%d}", 0), *map(_order, closed_files(path)[-1:])])
    return path.with_name(f"{path.stem}-{stamp}-{number + 1}.jsonl")


def _order(file: Path) -> tuple[str, int]:
    _, stamp, number = file.stem.rsplit("-", 2)
    return stamp, int(number)


@contextmanager
def locked(path: Path) -> Generator[int]:
    """Alone with the log at `path`; yields the descriptor of its marks. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    marks = os.open(marks_file(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(marks, fcntl.LOCK_EX)
        yield marks
    finally:
        os.close(marks)


@contextmanager
def snapshot(path: Path) -> Generator[tuple[list[Piece], list[Mark] | None]]:
    """Every file as it stands at one moment, and the marks (the first is the head); None when there are none.

    Writers wait only while the files are opened, not while they are read.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(marks_file(path).open("rb"))
        except FileNotFoundError:
            yield _pieces(path, stack), None
            return
        fcntl.flock(file, fcntl.LOCK_SH)
        marks = [mark for line in file if (mark := _mark(line)) is not None]
        pieces = _pieces(path, stack)
        fcntl.flock(file, fcntl.LOCK_UN)
        yield pieces, marks


def _pieces(path: Path, stack: ExitStack) -> list[Piece]:
    pieces: list[Piece] = []
    for file in [*closed_files(path), path]:
        with suppress(FileNotFoundError):
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, descriptor)
            pieces.append(Piece(file.name, descriptor, os.fstat(descriptor).st_size))
    return pieces


def read_head(marks: int) -> Mark | None:
    """Where the chain stood when it was last written; None when that is not known."""
    return _mark(os.pread(marks, _MARK_BYTES, 0))


def write_head(marks: int, mark: Mark) -> None:
    """Say where the chain stands now."""
    os.pwrite(marks, _line(mark), 0)


def write_anchor(marks: int, mark: Mark) -> None:
    """Keep a mark for good, on disk."""
    os.pwrite(marks, _line(mark), max(os.fstat(marks).st_size, _MARK_BYTES))
    os.fsync(marks)


def _line(mark: Mark) -> bytes:
    return f"{mark.n:012d} {mark.hash}\n".encode()


def _mark(line: bytes) -> Mark | None:
    found = re.fullmatch(rb"(\d{12}) ([0-9a-f]{64})\n", line)
    return Mark(int(found[1]), found[2].decode()) if found else None


def read_tail(descriptor: int) -> Tail:
    """How the file ends."""
    whole, newline, torn = _ending(descriptor).rpartition(b"\n")
    if not newline:
        return Tail(None, torn)
    record = parsed(whole.rpartition(b"\n")[2])
    # A whole line that is no record: somebody was here. The chain breaks at it, and verify says so.
    return Tail(mark_of(record) if record else Mark(0, "torn"), torn)


def _ending(descriptor: int) -> bytes:
    """The end of the file, with the whole of its last whole line however long that is."""
    size, length = os.fstat(descriptor).st_size, _TAIL_BYTES
    while True:
        octets = os.pread(descriptor, min(size, length), max(0, size - length))
        if length >= size or octets.count(b"\n") > 1:
            return octets
        length *= 2


def last_record(path: Path) -> dict[str, Any]:
    """The last record of a closed file; empty when it has none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        octets = _ending(descriptor)
    finally:
        os.close(descriptor)
    return parsed(octets.rstrip(b"\n").rpartition(b"\n")[2]) or {}


def append(descriptor: int, octets: bytes, *, spare: int = 0) -> None:
    """All of it or nothing, and only where the disk has `spare` bytes more. Raises OSError."""
    size, disk = os.fstat(descriptor).st_size, os.fstatvfs(descriptor)
    if disk.f_bavail * disk.f_frsize < spare:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    try:
        if os.write(descriptor, octets) != len(octets):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        with suppress(OSError):  # a device cannot be cut back; a torn line is noticed and said
            os.ftruncate(descriptor, size)
        raise


def open_log(path: Path) -> int:
    """A descriptor that appends to the log. Raises OSError."""
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def close_file(path: Path, name: Path) -> None:
    """Give the full file its lasting name, read-only, and make that last."""
    path.rename(name)
    name.chmod(0o400)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename, a new name or a removal last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
