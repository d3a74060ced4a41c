"""How records are sealed into a chain, and the walk that checks one. No files here.

    record n ─ hash ─▶ record n+1 ─ hash ─▶ ...        hash = SHA-256 of the record, `previous` included

A record that was changed no longer has its hash; one that was removed, added or moved breaks the link. What
was cut off at the end shows against the marks (`n` and hash) that are kept beside the log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

GENESIS: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a chain stood: the number of its last record and that record's hash."""

    n: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found.

    `records`: how many are whole. `problem`: the first thing that is wrong, or an empty string. `gaps`: where
    records had been lost before the log went on. `notes`: crashes that the log recovered from.
    `unfinished`: changes that were approved and never got an outcome.
    """

    records: int
    problem: str
    unfinished: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    head: Mark = Mark()

    @property
    def whole(self) -> bool:
        """Whether nothing was changed, removed or lost."""
        return not self.problem and not self.gaps


def seal(record: Mapping[str, Any], after: Mark) -> tuple[bytes, Mark]:
    """The record as a line that follows `after`, and where the chain stands then."""
    body = _canonical({**record, "n": after.n + 1, "previous": after.hash})
    mark = Mark(after.n + 1, sha256(body).hexdigest())
    return body[:-1] + f',"hash":"{mark.hash}"}}\n'.encode(), mark


def mark_of(record: Mapping[str, Any]) -> Mark:
    """A sealed record's own mark."""
    return Mark(int(record.get("n", 0)), str(record["hash"]))


def _canonical(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()


@dataclass(slots=True)
class Walk:
    """Feed it every line, oldest first; `verdict` says what it found. It stops at the first problem."""

    marks: Mapping[int, str]
    problem: str = ""
    _at: Mark | None = None
    _count: int = 0
    _start: str = ""
    _first: int = 0
    _torn: tuple[str, bytes] | None = None
    _pruned: set[str] = field(default_factory=set[str])
    _open: dict[str, str] = field(default_factory=dict[str, str])
    _gaps: list[str] = field(default_factory=list[str])
    _notes: list[str] = field(default_factory=list[str])

    def feed(self, line: bytes, where: str) -> None:
        """Take the next line in; `where` is how a person finds it."""
        if self.problem:
            return
        record = parsed(line)
        if record is None:
            self.problem = self._torn_before() if self._torn else ""
            self._torn = (where, line)
            return
        self.problem = self._broken(record, where)
        if not self.problem:
            self._take(record, where)

    def verdict(self, head: Mark | None) -> Verdict:
        """What was found. `head` is where the chain stood when it was last written; None: no longer known."""
        problem = self.problem or (self._torn_before() if self._torn else "") or self._end(head)
        found = (tuple(self._open.values()), tuple(self._gaps), tuple(self._notes))
        return Verdict(self._count, problem, *found, self._at or Mark())

    def _broken(self, record: dict[str, Any], where: str) -> str:
        claimed = str(record["hash"])
        body = {key: value for key, value in record.items() if key != "hash"}
        if sha256(_canonical(body)).hexdigest() != claimed:
            return f"{where}: was changed after it was written"
        if self._at is not None and record.get("previous") != self._at.hash:
            return f"{where}: does not follow the line before it (a record was removed, added or reordered)"
        if self.marks.get(mark_of(record).n, claimed) != claimed:
            return f"{where}: is not the record that stood there (the log was written anew)"
        if self._torn and sha256(self._torn[1]).hexdigest() != record.get("torn"):
            return self._torn_before()
        return ""

    def _take(self, record: dict[str, Any], where: str) -> None:
        if self._at is None:
            self._start, self._first = str(record.get("previous")), mark_of(record).n
        self._at, self._count = mark_of(record), self._count + 1
        call = str(record.get("call", ""))
        match record.get("event"):
            case "intent":
                self._open[call] = f"{record['at']} {record.get('tool', '?')} (call {call})"
            case "outcome":
                self._open.pop(call, None)
            case "pruned":
                self._pruned.add(str(record.get("head")))
            case "gap":
                self._gaps.append(f"{where}: {record.get('lost', 'records were lost')}")
            case "torn":
                self._notes.append(f"{where}: the line before was torn by a crash; the log went on")
                self._torn = None
            case _:
                return

    def _torn_before(self) -> str:
        return f"{self._torn[0]}: is not a record" if self._torn else ""

    def _end(self, head: Mark | None) -> str:
        if self._count and self._start not in {GENESIS, *self._pruned}:
            return "the oldest records are missing, and no record says that they were pruned"
        if head is None:
            return "the file of marks is gone, so records may be missing at the end" if self._count else ""
        last = self._at or Mark()
        if head.n > last.n:
            lost = head.n - last.n
            many = "1 record is" if lost == 1 else f"{lost} records are"
            return f"{many} missing at the end (cut off, or lost in a power failure)"
        return ""


def parsed(line: bytes) -> dict[str, Any] | None:
    """A line as a record of the chain, or None where it is not one."""
    try:
        record: dict[str, Any] = json.loads(line)
        mark_of(record)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return record
