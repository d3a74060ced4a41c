"""What happened to each entry, as this machine noted it: `BANK/.history/XX/ULID.jsonl`, a file per entry.

A line is one change: who, when, how, the hashes of the text before and after, and a compressed copy of every
text that no earlier line holds. It is written before the entry's file is replaced; a line whose change never
happened (the process was killed in between) is marked void by the next one. A text that somebody saved with
an editor between two of our writes gets a line of its own. Git ignores the folder. Nobody waits for the disk
here: a power cut may cost the newest lines of the journal, never an entry.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from memory.entry import parse_entry
from memory.errors import InvalidEntry
from memory.history_summary import summary_of

FOLDER = ".history"
UNKNOWN = "unknown editor"
# The copies of one entry's texts: when they take more, the older half goes.
MAX_BYTES = 512 * 1024
_MAX_TEXT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One change of an entry. `before` and `after` are SHA-256 of the texts; None: there was no file."""

    number: int
    when: datetime
    who: str
    how: str
    entry_id: str
    title: str
    summary: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Journal:
    """An entry's changes in their order, without those that never happened, and the copies of its texts."""

    records: tuple[Record, ...] = ()
    copies: Mapping[str, str] | None = None
    last_number: int = 0
    lines: tuple[bytes, ...] = ()
    torn: bool = False

    def text(self, digest: str | None) -> str | None:
        """The text with this hash, or None when no copy is kept."""
        packed = (self.copies or {}).get(digest or "")
        return None if packed is None or digest is None else _unpacked(packed, digest)


@dataclass(frozen=True, slots=True)
class Present:
    """A file as it is now: its bytes, when it was last saved, and when its inode last changed."""

    content: bytes
    saved: datetime
    touched: datetime

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return digest_of(self.content)


def digest_of(content: bytes) -> str:
    """The hash that names a text."""
    return hashlib.sha256(content).hexdigest()


def present(path: Path) -> Present | None:
    """The file at `path`, or None when there is none that can be read."""
    try:
        stat, content = path.stat(), path.read_bytes()
    except OSError:
        return None
    return Present(content, _moment(stat.st_mtime_ns), _moment(stat.st_ctime_ns))


def journal_path(root: Path, entry_id: str) -> Path:
    """Where the journal of an entry lies."""
    return root / FOLDER / entry_id[-2:].lower() / f"{entry_id}.jsonl"


def journal_paths(root: Path) -> Iterator[Path]:
    """The journals of all entries."""
    return (root / FOLDER).glob("??/*.jsonl")


def read_journal(path: Path) -> Journal:
    """The journal at `path`; empty when there is none. A torn or foreign line is passed over."""
    try:
        content = b"" if path.is_symlink() else path.read_bytes()
    except OSError:
        content = b""
    records: dict[int, Record] = {}
    copies: dict[str, str] = {}
    last = 0
    lines = content.splitlines(keepends=True)
    for line in lines:
        fields = _fields(line)
        record = _record(fields, path.stem)
        copies |= {str(digest): str(packed) for digest, packed in _mapping(fields.get("texts")).items()}
        if isinstance(void := fields.get("void"), int):
            records.pop(void, None)
        if record:
            records[record.number] = record
            last = max(last, record.number)
    return Journal(tuple(records.values()), copies, last, tuple(lines), not content.endswith(b"\n"))


def unrecorded(journal: Journal, entry_id: str, now: Present | None) -> tuple[Record | None, int | None]:
    """What happened outside of the journal since its last record, and the record that never took effect.

    `now` is the entry's file as it is.
    """
    last = journal.records[-1] if journal.records else None
    known, found = (last.after if last else None), (now.digest if now else None)
    if known == found:
        return None, None
    if last and now and last.before == found and now.touched <= last.when:
        return None, last.number
    before = journal.text(known)
    if now is None:
        title, moment, how = (last.title if last else ""), datetime.now(UTC), "removed"
        summary = summary_of(before, None)
    else:
        text = now.content.decode("utf-8", errors="replace")
        title, moment, how = _title(text), now.saved, "edited" if known else "written"
        title = title or (last.title if last else "")
        summary = summary_of(before, text) if known is None or before is not None else ""
    number = journal.last_number + 1
    return Record(number, moment, UNKNOWN, how, entry_id, title, summary, known, found), None


def note(
    root: Path,
    entry_id: str,
    *,
    now: Present | None,
    after: bytes,
    who: str,
    how: str,
    keep: Callable[[str], bool],
) -> int:
    """Write down that the entry's file is about to become `after`. The number of the record.

    Only under the bank's lock. `keep` says whether a text that somebody else saved may be copied (it holds
    nothing that is refused).
    """
    path = journal_path(root, entry_id)
    journal = read_journal(path)
    last = journal.records[-1] if journal.records else None
    # An edit without a file in this place moves the entry: its old file is still to be removed.
    moved = last.after if last and now is None and how == "edited" else None
    outside, void = (None, None) if moved else unrecorded(journal, entry_id, now)
    copies: dict[str, str] = {}
    lines: list[dict[str, Any]] = []
    if void is not None:
        lines.append({"void": void})
    if outside:
        if now and not keep(now.content.decode(errors="replace")):
            outside = replace(outside, title="", summary="")
        elif now and now.digest not in (journal.copies or {}):
            copies[now.digest] = _packed(now.content)
        lines.append(_as_fields(outside, copies))
    number = max(journal.last_number, outside.number if outside else 0) + 1
    text = after.decode()
    digest = digest_of(after)
    before = now.content.decode(errors="replace") if now else journal.text(moved)
    record = Record(
        number, datetime.now(UTC), who, how, entry_id, _title(text), summary_of(before, text),
        now.digest if now else moved, digest,
    )  # fmt: skip
    lines.append(_as_fields(record, {} if digest in (journal.copies or {}) else {digest: _packed(after)}))
    _append(path, journal, [_line(fields) for fields in lines])
    return number


def void(root: Path, entry_id: str, number: int) -> None:
    """Write down that the change of this number did not happen after all."""
    path = journal_path(root, entry_id)
    _append(path, read_journal(path), [_line({"void": number})])


def forget(root: Path, entry_id: str) -> bool:
    """Remove an entry's journal with every copy of its texts. False when there was none."""
    path = journal_path(root, entry_id)
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed


def _append(path: Path, journal: Journal, added: Sequence[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = sum(map(len, journal.lines))
    if size > MAX_BYTES:
        _shorten(path, journal.lines, added)
        return
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o666)
    try:
        torn = b"\n" if journal.lines and journal.torn else b""
        _write_all(descriptor, torn + b"".join(added))
    finally:
        os.close(descriptor)


def _shorten(path: Path, lines: Sequence[bytes], added: Sequence[bytes]) -> None:
    """Write the journal anew with the newer half of its bytes."""
    kept: list[bytes] = []
    for line in reversed(lines):
        if sum(map(len, kept)) + len(line) > MAX_BYTES // 2:
            break
        kept.append(line if line.endswith(b"\n") else line + b"\n")
    temporary = path.parents[2] / f".tmp-{os.getpid()}-{secrets.token_hex(4)}"
    with temporary.open("xb") as file:
        file.write(b"".join([*reversed(kept), *added]))
    temporary.replace(path)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _as_fields(record: Record, copies: Mapping[str, str]) -> dict[str, Any]:
    return {
        "n": record.number,
        "when": record.when.isoformat(),
        "who": record.who,
        "how": record.how,
        "title": record.title,
        "summary": record.summary,
        "before": record.before,
        "after": record.after,
        **({"texts": dict(copies)} if copies else {}),
    }


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def _fields(line: bytes) -> dict[str, Any]:
    try:
        return _mapping(json.loads(line))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _record(fields: Mapping[str, Any], entry_id: str) -> Record | None:
    try:
        when = datetime.fromisoformat(fields["when"]).astimezone(UTC)
        texts = [fields[name] for name in ("who", "how", "title", "summary")]
        hashes = [fields[name] for name in ("before", "after")]
        number = fields["n"]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not isinstance(number, int) or not all(isinstance(one, str) for one in texts):
        return None
    who, how, title, summary = texts
    before, after = (one if isinstance(one, str) else None for one in hashes)
    return Record(number, when, who, how, entry_id, title, summary, before, after)


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 6)).decode()


def _unpacked(packed: str, digest: str) -> str | None:
    """The text, or None when the copy is not what its hash says (or far too long: it is foreign)."""
    try:
        content = zlib.decompressobj().decompress(base64.b64decode(packed), _MAX_TEXT)
        return content.decode() if digest_of(content) == digest else None
    except (ValueError, zlib.error):
        return None


def _title(text: str) -> str:
    try:
        return parse_entry(text).title
    except InvalidEntry:
        return ""


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1_000_000_000, UTC)
