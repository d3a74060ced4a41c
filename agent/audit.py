"""The record of every act: JSON lines, append-only, each line sealed with the hash of the one before.

A mutation is written down, and flushed to disk, *before* it runs: a record with an intent and no outcome is
what a crash in between looks like. No row values and no argument values are kept, only their digest.

A read is recorded after it ran and not flushed to the platter: it survives the end of the process, and what a
power failure takes is noticed, because the marks beside the log say how far it had come.
"""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from agent import audit_files as files
from agent.audit_chain import Mark, Verdict, Walk, mark_of, seal
from tools.errors import Conflict, Unavailable

_TEXT_CHARS: Final = 400
"""What one text of a record may take. A caller's words must not decide how large a record is."""

_ITEMS: Final = 60

_RECORD_BYTES: Final = 65_536
"""A record is shorter than this: its texts are cut further where 400 characters each are too many."""
_SPARE_BYTES: Final = 65_536
"""What a disk must still hold before a change begins, so that its outcome can be recorded too."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long records are kept and how they are cut into files (`[audit]` in sergei.toml)."""

    retention_years: int = 6
    rotate_bytes: int = 50_000_000
    anchor_every: int = 1_000


@dataclass(frozen=True, slots=True)
class AuditLog:
    """One log, shared by processes through a lock. `who` is the person or client that acts."""

    path: Path
    who: str
    keeping: Keeping = Keeping()

    @classmethod
    def open(cls, path: Path, *, face: str, identity: str = "", keeping: Keeping | None = None) -> AuditLog:
        """The log at `path`, for the operating system's user through one of the faces."""
        who = f"{_user()} via {face}" + (f" ({identity})" if identity else "")
        return cls(path, who, keeping or Keeping())

    def write(self, event: str, fields: Mapping[str, Any], *, durable: bool = True) -> None:
        """Append one record. `durable`: it is on disk when this returns.

        Raises Unavailable when it cannot be written: an act that cannot be recorded does not happen.
        """
        try:
            with files.locked(self.path) as marks:
                self._append(marks, event, fields, durable=durable)
        except OSError as error:
            raise Unavailable(
                f"The audit log {self.path} cannot be written ({error.strerror}).",
                hint="Free some space or mend its permissions.",
            ) from None

    def records(self) -> Iterator[dict[str, Any]]:
        """Every record that parses, oldest first, closed files included."""
        with files.snapshot(self.path) as (pieces, _):
            for piece in pieces:
                for line in piece.lines():
                    try:
                        yield json.loads(line)
                    except ValueError:
                        continue

    def verify(self) -> Verdict:
        """Walk the chain over all files. Also names intents that never got an outcome."""
        with files.snapshot(self.path) as (pieces, marks):
            walk = Walk({mark.n: mark.hash for mark in marks or ()})
            for piece in pieces:
                for number, line in enumerate(piece.lines(), start=1):
                    walk.feed(line, f"line {number}" if len(pieces) == 1 else f"{piece.name} line {number}")
            return walk.verdict(marks[0] if marks else None)

    def prune(self, now: datetime) -> tuple[str, ...]:
        """Delete the closed files whose every record is older than the retention, oldest first.

        The log says which, before each goes. Raises Conflict when the log is not whole: then nothing goes.
        """
        limit = _years_before(now.astimezone(UTC), self.keeping.retention_years)
        gone: list[str] = []
        for file in files.closed_files(self.path):
            last = files.last_record(file)
            if not last or datetime.fromisoformat(str(last["at"])) >= limit:
                break
            if not gone and not self.verify().whole:
                raise Conflict(
                    "The audit log is not whole, so nothing was pruned.", hint="sergei audit verify"
                )
            told = {"file": file.name, "through": last["n"], "head": last["hash"], "last_at": last["at"]}
            self.write("pruned", {**told, "retention_years": self.keeping.retention_years})
            file.unlink(missing_ok=True)
            files.sync_folder(file.parent)
            gone.append(file.name)
        return tuple(gone)

    def _append(self, marks: int, event: str, fields: Mapping[str, Any], *, durable: bool) -> None:
        log = files.open_log(self.path)
        try:
            tail = files.read_tail(log)
            if tail.mark and not tail.torn and os.fstat(log).st_size >= self.keeping.rotate_bytes:
                log = self._rotate(log, marks, tail.mark)
                tail, durable = files.read_tail(log), True
            lines = _Lines(self.who, tail.mark or self._before())
            lines.mend(tail.torn, files.read_head(marks))
            anchor = (lines.mark.n + 1) % self.keeping.anchor_every == 0
            if anchor:
                lines.add("anchor", {})
            lines.add(event, fields)
            files.append(log, lines.octets, spare=_SPARE_BYTES if event == "intent" else 0)
            if durable:
                os.fsync(log)
            files.write_head(marks, lines.mark)
            if anchor:
                files.write_anchor(marks, lines.mark)
        finally:
            os.close(log)

    def _rotate(self, log: int, marks: int, mark: Mark) -> int:
        """Close the full file with an anchor, and open the next one."""
        name = files.next_name(self.path, datetime.now(UTC).date())
        lines = _Lines(self.who, mark)
        lines.mend(b"", files.read_head(marks))
        lines.add("anchor", {"file": name.name})
        files.append(log, lines.octets)
        os.fsync(log)
        files.write_head(marks, lines.mark)
        files.write_anchor(marks, lines.mark)
        files.close_file(self.path, name)
        fresh = files.open_log(self.path)
        os.close(log)
        return fresh

    def _before(self) -> Mark:
        """Where the chain stands before the first record of a file: at the end of the latest closed one."""
        closed = files.closed_files(self.path)
        last = files.last_record(closed[-1]) if closed else {}
        return mark_of(last) if last else Mark()


class _Lines:
    """Records on their way into the log, each sealed to the one before."""

    def __init__(self, who: str, after: Mark) -> None:
        self.who = who
        self.mark = after
        self.octets = b""

    def mend(self, torn: bytes, head: Mark | None) -> None:
        """Say what a crash tore, and what is missing from the end, before the log goes on."""
        before = self.mark
        if torn:
            self.octets = b"\n"
            self.add("torn", {"torn": sha256(torn).hexdigest(), "bytes": len(torn)})
        if head is None and before.n:
            self.add("gap", {"lost": "the file of marks was gone when the log went on"})
        elif head is not None and (head.n > before.n or (head.n == before.n and head != before)):
            lost = f"records {before.n + 1} to {head.n} were gone when the log went on"
            self.mark = Mark(max(head.n, self.mark.n), self.mark.hash)
            self.add("gap", {"lost": lost, "head": head.hash})

    def add(self, event: str, fields: Mapping[str, Any]) -> None:
        """One more record."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = {"at": now, "who": self.who, "event": event, **fields}
        chars = _TEXT_CHARS
        line, mark = seal({key: _short(value, chars) for key, value in record.items()}, self.mark)
        while len(line) >= _RECORD_BYTES and chars > 1:  # JSON writes some characters with twelve
            chars //= 2
            line, mark = seal({key: _short(value, chars) for key, value in record.items()}, self.mark)
        self.octets, self.mark = self.octets + line, mark


def _short(value: Any, chars: int) -> Any:
    if isinstance(value, str):
        return value[:chars]
    if isinstance(value, list | tuple):
        items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]  names, from the gate
        return [_short(item, chars) for item in items[:_ITEMS]]
    return value


def _years_before(moment: datetime, years: int) -> datetime:
    try:
        return moment.replace(year=moment.year - years)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year - years, day=28)


def _user() -> str:
    """The operating system's user. Not from LOGNAME or USER, which anybody can set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user may have no name
        return f"uid {os.getuid()}"
