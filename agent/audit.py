"""The record of every act: JSON lines, append-only, each line sealed with the hash of the one before.

A mutation is written down, and flushed to disk, *before* it runs: a record with an intent and no outcome is
what a crash in between looks like. No row values and no argument values are kept, only their digest.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from tools.errors import Unavailable

GENESIS: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found: how many records, and the first thing that is wrong (or an empty string)."""

    records: int
    problem: str
    unfinished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditLog:
    """One file, shared by processes through a lock. `who` is the person or client that acts."""

    path: Path
    who: str

    @classmethod
    def open(cls, path: Path, *, face: str, identity: str = "") -> AuditLog:
        """The log at `path`, for the operating system's user through one of the faces."""
        user = _user()
        return cls(path, f"{user} via {face}" + (f" ({identity})" if identity else ""))

    def write(self, event: str, fields: Mapping[str, Any]) -> None:
        """Append one record and flush it to disk.

        Raises Unavailable when it cannot be written: an act that cannot be recorded does not happen.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                record = {
                    "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "who": self.who,
                    "event": event,
                    **fields,
                    "previous": _last_hash(file.fileno()),
                }
                line = _seal(record)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Unavailable(
                f"The audit log {self.path} cannot be written ({error.strerror}), so nothing was run.",
                hint="Free some space or mend its permissions.",
            ) from None

    def records(self) -> Iterator[dict[str, Any]]:
        """Every record that parses, oldest first."""
        if self.path.exists():
            for line in self.path.read_bytes().splitlines():
                try:
                    yield json.loads(line)
                except ValueError:
                    continue

    def verify(self) -> Verdict:
        """Walk the chain. Also names intents that never got an outcome."""
        if not self.path.exists():
            return Verdict(0, "")
        previous, count = GENESIS, 0
        open_intents: dict[str, str] = {}
        for number, line in enumerate(self.path.read_bytes().splitlines(), start=1):
            problem = _broken(line, previous)
            if problem:
                return Verdict(count, f"line {number}: {problem}")
            record = json.loads(line)
            previous, count = record["hash"], count + 1
            call = str(record.get("call", ""))
            if record["event"] == "intent":
                open_intents[call] = f"{record['at']} {record.get('tool', '?')} (call {call})"
            elif record["event"] == "outcome":
                open_intents.pop(call, None)
        return Verdict(count, "", tuple(open_intents.values()))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"uid {os.getuid()}"


def _seal(record: Mapping[str, Any]) -> bytes:
    body = json.dumps(record, ensure_ascii=True, separators=(",", ":"))
    sealed = {**record, "hash": sha256(body.encode()).hexdigest()}
    return json.dumps(sealed, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _broken(line: bytes, previous: str) -> str:
    try:
        record = json.loads(line)
        claimed = record.pop("hash")
    except (ValueError, KeyError, AttributeError):
        return "is not a record"
    body = json.dumps(record, ensure_ascii=True, separators=(",", ":"))
    if sha256(body.encode()).hexdigest() != claimed:
        return "was changed after it was written"
    if record.get("previous") != previous:
        return "does not follow the line before it (a record was removed, added or reordered)"
    return ""


def _last_hash(descriptor: int) -> str:
    """The hash of the last whole record. A torn last line (a crash) shows in verify."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return GENESIS
    tail = os.pread(descriptor, min(size, 65536), max(0, size - 65536)).rstrip(b"\n")
    try:
        return str(json.loads(tail.rsplit(b"\n", 1)[-1])["hash"])
    except (ValueError, KeyError):
        return "torn"
