"""One conversation, saved as it goes: `<folder>/<id>.jsonl`, mode 0600, append-only.

    {"type": "meta", "id", "created", "target", "model", "title"}     the first line
    {"type": "message", "at", "role", "content"}                       each message, as the API has it

A file holds what the model saw and said, so it is already redacted. It may end in a torn line or in the
middle of a turn (a crash, a Ctrl-C); `history` is always a conversation that the API accepts.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, cast

from agent.messages import Block, Message, whole
from tools.errors import Conflict, NotFound, RemoteError, Unavailable


@dataclass(frozen=True, slots=True)
class SessionMeta:
    """What a list of sessions shows. `created` is ISO 8601 in UTC; `title` is the first question."""

    id: str
    created: str
    target: str
    model: str
    title: str = ""


class Session:
    """One conversation and its file, which appears with the first message. One process at a time holds it."""

    def __init__(self, folder: Path, meta: SessionMeta, messages: Sequence[Message] = ()) -> None:
        self.meta = meta
        self.messages: Sequence[Message] = list(messages)
        self.path = folder / f"{meta.id}.jsonl"
        self._file: FileIO | None = None

    @classmethod
    def create(cls, folder: Path, *, target: str, model: str) -> Session:
        """A new conversation. `target` is the target's label, never a DSN."""
        now = datetime.now(UTC)
        name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        return cls(folder, SessionMeta(name, now.isoformat(timespec="seconds"), target, model))

    @classmethod
    def load(cls, folder: Path, name: str) -> Session:
        """The conversation whose id is, or alone begins with, `name`.

        Raises NotFound, Conflict when another process holds it, RemoteError when it is no session file.
        """
        found = sorted(folder.glob(f"{name}*.jsonl")) if re.fullmatch(r"[0-9a-f-]+", name) else []
        exact = [path for path in found if path.stem == name] or found
        if len(exact) != 1:
            problem = "There is no saved session" if not exact else "More than one saved session begins with"
            raise NotFound(f"{problem} {name!r} in {folder}.", hint="List them and give the whole id.")
        file = _locked(exact[0])  # before reading: whoever holds it may still be writing
        records = list(_records(exact[0]))
        meta = _meta(records[0]) if records else None
        if meta is None:
            file.close()
            raise RemoteError(f"{exact[0]} is not a session file: its first line is damaged.")
        messages = [message for record in records if (message := _message(record)) is not None]
        session = cls(folder, replace(meta, id=exact[0].stem), messages)
        session._file = file
        return session

    @classmethod
    def latest(cls, folder: Path, *, target: str | None = None) -> Session | None:
        """The conversation that was continued last (with this target, if given), or None."""
        for meta in cls.list(folder):
            if target is None or meta.target == target:
                return cls.load(folder, meta.id)
        return None

    def history(self) -> Sequence[Message]:
        """The messages as they may be sent: see `whole`."""
        return whole(self.messages)

    def append(self, role: str, content: Sequence[Block]) -> None:
        """Add a message and save it. Raises Unavailable when the file cannot be written."""
        if not content:
            return
        message: Message = {"role": role, "content": [*content]}
        self.messages = [*self.messages, message]
        if self._file is None:
            self._file = _locked(self.path)
        lines: list[dict[str, Any]] = [
            {"type": "message", "at": datetime.now(UTC).isoformat(timespec="seconds"), **message}
        ]
        if self._file.tell() == 0:
            self.meta = replace(self.meta, title=_title(content))
            lines = [{"type": "meta", **asdict(self.meta)}, *lines]
        try:
            self._file.write("".join(json.dumps(line) + "\n" for line in lines).encode())
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def close(self) -> None:
        """Let go of the file, so that another process may continue it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @staticmethod
    def list(folder: Path) -> Sequence[SessionMeta]:
        """Every saved conversation, the one continued last first. Files that are no sessions are left out."""
        paths = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        metas = (_meta(next(_records(path), dict[str, Any]())) for path in paths)
        return [meta for meta in metas if meta is not None]


def _locked(path: Path) -> FileIO:
    """The file for appending, held by this process alone. Raises Conflict, Unavailable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "a+b", 0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise Conflict(f"The session {path.stem} is open in another terminal.") from None
        size = file.seek(0, os.SEEK_END)
        if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
            file.write(b"\n")  # a torn line must not swallow the next one
    except OSError as error:
        raise _unwritable(path, error) from None
    return file


def _unwritable(path: Path, error: OSError) -> Unavailable:
    message = f"The session cannot be saved to {path} ({error.strerror})."
    return Unavailable(message, hint="Free some space or mend its permissions.")


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """Every line that is a JSON object; a torn one is skipped."""
    try:
        with path.open("rb") as file:
            for line in file:
                try:
                    record: object = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict):
                    yield cast("dict[str, Any]", record)
    except OSError as error:
        raise Unavailable(f"The session {path} cannot be read ({error.strerror}).") from None


def _meta(record: dict[str, Any]) -> SessionMeta | None:
    names = ("id", "created", "target", "model", "title")
    if record.get("type") != "meta" or not all(isinstance(record.get(name), str) for name in names):
        return None
    return SessionMeta(*(record[name] for name in names))


def _message(record: dict[str, Any]) -> Message | None:
    return {"role": record["role"], "content": record["content"]} if record.get("type") == "message" else None


def _title(content: Sequence[Block]) -> str:
    """The question as one line of at most 80 characters: the message's last text, after the context."""
    texts = [block["text"] for block in content if block["type"] == "text"]
    line = " ".join(texts[-1].split()) if texts else ""
    return line if len(line) <= 80 else line[:79] + "…"
