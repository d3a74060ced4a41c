"""The bank as folders and files under /memories: the commands of Anthropic's memory tool (memory_20250818).

    command ─▶ plan (reads, checks, says what would change) ─▶ shown to a person
                 └─ again under the bank's lock ─▶ written with a precondition, whole or not at all

Answers and errors have the words that clients of the protocol know. What differs is said here:
- A file in a category folder is an entry of the bank and must stay one. Other files are notes that recall
  does not read.
- Deleting retires: an entry leaves recall and its file stays, a note moves to a hidden folder.
- Folders without a visible file do not show, as in git.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from memory import CATEGORIES, Bank, InvalidEntry, parse_entry
from memory import files as disk
from memory.draft import check_text
from memory.edits import as_retired
from memory.frontmatter import split, with_scalar
from memory.writing import Note
from memory.writing import write as record
from tools.errors import InvalidInput, NotFound, Refused
from tools.recall.lines import inserted, numbered, replaced, size

ROOT: Final = "/memories"
RETIRED: Final = ".retired"
REASON: Final = "deleted through the memory tool"
_DEPTH: Final = 2


@dataclass(frozen=True, slots=True)
class Write:
    """One step on disk. `content` None: the file moves to `to`, or goes when `to` is None too."""

    path: Path
    expected: bytes | None = None
    content: bytes | None = None
    to: Path | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a command would do: `action` in words for a person, `answer` for the client afterwards."""

    action: str
    answer: str
    touches: tuple[str, ...]
    writes: tuple[Write, ...]


class Notebook:
    """The protocol over one bank. `objection` says why a text must not be kept. Blocks on the disk."""

    def __init__(self, bank: Bank, objection: Callable[[str], str | None]) -> None:
        self._root = bank.root
        self._objection = objection
        self._note = Note("memory tool", "edited", may_keep=lambda text: objection(text) is None)

    def carry_out(self, planned: Callable[[], Plan]) -> str:
        """Plan under the lock, so that nobody's change is lost, and write. The answer for the client."""
        with disk.exclusive(self._root):
            plan = planned()
            for write in plan.writes:
                if write.content is not None and self._category(write.path):
                    write.path.parent.mkdir(exist_ok=True)
                    entry = parse_entry(write.content.decode())
                    record(self._root, write.path, entry, write.expected, write.content, self._note)
                else:
                    _apply(write)
            return plan.answer

    def view(self, path: str, view_range: list[int] | None) -> str:
        """A folder two levels deep, or a file with line numbers."""
        real = self._resolve(path)
        if real != self._root and not self._visible(real):
            raise NotFound(f"The path {path} does not exist. Please provide a valid path.")
        if real.is_file():
            return f"Here's the content of {path} with line numbers:\n" + numbered(
                self._text(real)[1], view_range
            )
        shown = path.rstrip("/") or ROOT
        lines = [f"{size(real.stat().st_size) if real.exists() else size(0)}\t{shown}"]
        lines += [f"{size(item.stat().st_size)}\t{shown}/{name}" for item, name in self._tree(real)]
        head = f"Here're the files and directories up to 2 levels deep in {shown}, excluding hidden items:"
        return "\n".join([head, *lines])

    def create(self, path: str, text: str) -> Plan:
        """A new file."""
        real = self._file(path)
        if os.path.lexists(real):
            raise InvalidInput(f"File {path} already exists")
        write = Write(real, None, self._checked(real, text).encode())
        return Plan(f"new file {path}:\n{text}", f"File created successfully at: {path}", (path,), (write,))

    def str_replace(self, path: str, old: str, new: str) -> Plan:
        """One passage, which must occur once, by another."""
        real, before, text = self._existing(path)
        after, snippet = replaced(path, text, old, new)
        said = (
            "The memory file has been edited. Here is the snippet showing the change (with line numbers):\n"
        )
        write = Write(real, before, self._checked(real, after).encode())
        return Plan(f"in {path} replace\n{old}\nby\n{new}", said + snippet, (path,), (write,))

    def insert(self, path: str, line: int, text: str) -> Plan:
        """Lines after the line with this number; 0 is the beginning."""
        real, before, old = self._existing(path)
        write = Write(real, before, self._checked(real, inserted(old, line, text)).encode())
        action = f"in {path} after line {line} insert\n{text}"
        return Plan(action, f"The file {path} has been edited.", (path,), (write,))

    def delete(self, path: str, now: datetime) -> Plan:
        """A file, or all files of a folder: retired, not destroyed."""
        real = self._resolve(path)
        if real == self._root:
            raise InvalidInput("Cannot delete the /memories directory itself")
        if not self._visible(real):
            raise NotFound(f"The path {path} does not exist")
        gone = [real] if real.is_file() else list(self._files(real))
        touches = tuple(f"{ROOT}/{one.relative_to(self._root).as_posix()}" for one in gone)
        writes = tuple(self._retiring(one, now) for one in gone)
        return Plan(f"delete {path} ({len(gone)} files)", f"Successfully deleted {path}", touches, writes)

    def rename(self, old: str, new: str) -> Plan:
        """A file or a folder to another place. An entry takes on the category of its folder."""
        source, target = self._resolve(old), self._file(new)
        if source == self._root:
            raise InvalidInput("Cannot rename the /memories directory itself")
        if not self._visible(source):
            raise NotFound(f"The path {old} does not exist")
        if os.path.lexists(target):
            raise InvalidInput(f"The destination {new} already exists")
        if source.is_dir() and (
            self._category(source) or self._category(target) or target.is_relative_to(source)
        ):
            raise InvalidInput(f"{old} cannot become {new}: categories are fixed folders of files.")
        if source.is_file() and self._category(source) and not self._category(target):
            raise InvalidInput(
                f"{old} is an entry of the bank and stays in a category: {', '.join(CATEGORIES)}."
            )
        action, answer = f"rename {old} to {new}", f"Successfully renamed {old} to {new}"
        writes = (Write(source, to=target),) if source.is_dir() else self._moving(source, target)
        return Plan(action, answer, (old, new), writes)

    def _moving(self, source: Path, target: Path) -> tuple[Write, ...]:
        before, text = self._text(source)
        if (category := self._category(target)) and self._category(source) != category:
            text = with_scalar(split(text), "category", category).text() if self._category(source) else text
            after = self._checked(target, text).encode()
            return Write(target, None, after), Write(source, before)
        self._checked(target, text)
        return (Write(source, to=target),)

    def _retiring(self, real: Path, now: datetime) -> Write:
        before, text = self._text(real)
        try:
            if self._category(real):
                return Write(real, before, as_retired(text, REASON).encode())
        except InvalidEntry:
            pass  # no entry, although it lies among them: it goes where notes go
        name = f"{real.name}~{now:%Y%m%dT%H%M%S%f}"
        return Write(real, to=self._root / RETIRED / name)

    # Places

    def _resolve(self, path: str) -> Path:
        """The real place. Raises InvalidInput for whatever does not lie under /memories in plain sight."""
        if path != ROOT and not path.startswith(f"{ROOT}/"):
            raise InvalidInput(f"Path must start with /memories, got: {path}")
        parts = [part for part in path.removeprefix(ROOT).split("/") if part]
        odd = any("\\" in part or not part.isprintable() or "%2e" in part.lower() for part in parts)
        if odd or {".", ".."} & set(parts):
            raise InvalidInput(f"Path {path} would escape /memories directory")
        if any(part.startswith(".") for part in parts):
            raise InvalidInput(f"Path {path} names a hidden file; those are the bank's own.")
        real = self._root
        for part in parts:
            real = real / part
            if real.is_symlink():
                raise InvalidInput("Path would escape /memories directory via symlink")
        return real

    def _file(self, path: str) -> Path:
        """A place where a file may come to lie."""
        real = self._resolve(path)
        inside = real.relative_to(self._root).parts
        if not inside:
            raise InvalidInput(f"The path {path} is not a file.")
        if inside[0] in CATEGORIES and (len(inside) != 2 or real.suffix != ".md"):
            raise InvalidInput(f"{path}: a category holds entries alone, one Markdown file each (NAME.md).")
        blocked = next((one for one in real.parents if one.is_file() and one != self._root), None)
        if blocked is not None:
            raise InvalidInput(f"The path {path} lies inside a file.")
        return real

    def _existing(self, path: str) -> tuple[Path, bytes, str]:
        real = self._resolve(path)
        if real != self._root and not self._visible(real):
            raise NotFound(f"The path {path} does not exist. Please provide a valid path.")
        if not real.is_file():
            raise InvalidInput(f"The path {path} is not a file.")
        return real, *self._text(real)

    def _category(self, real: Path) -> str:
        """The category that a place lies in, or nothing."""
        first = next(iter(real.relative_to(self._root).parts), "")
        return first if first in CATEGORIES else ""

    def _visible(self, real: Path) -> bool:
        """Whether the protocol shows it: a file that is not retired, or a folder with one somewhere."""
        if real.is_symlink() or real.name.startswith("."):
            return False
        if real.is_dir():
            return any(True for _ in self._files(real))
        return real.is_file() and not (self._category(real) and _is_retired(real))

    def _files(self, folder: Path) -> Iterator[Path]:
        for item in sorted(folder.iterdir()) if folder.is_dir() else ():
            if item.is_dir() and not item.is_symlink() and not item.name.startswith("."):
                yield from self._files(item)
            elif item.is_file() and self._visible(item):
                yield item

    def _tree(self, folder: Path, before: str = "", depth: int = 1) -> Iterator[tuple[Path, str]]:
        for item in sorted(folder.iterdir()) if folder.is_dir() else ():
            if not self._visible(item):
                continue
            name = f"{before}{item.name}"
            yield item, f"{name}/" if item.is_dir() else name
            if item.is_dir() and depth < _DEPTH:
                yield from self._tree(item, f"{name}/", depth + 1)

    # Texts

    def _text(self, real: Path) -> tuple[bytes, str]:
        return disk.read_text(real)

    def _checked(self, real: Path, text: str) -> str:
        """The text, if it may stand there. Raises InvalidEntry, InvalidInput, Refused."""
        check_text(text)
        if len(text.encode()) > disk.MAX_FILE:
            raise InvalidInput(f"A file of the memory bank has at most {disk.MAX_FILE} bytes.")
        if reason := self._objection(text):
            raise Refused(reason)
        if category := self._category(real):
            entry = parse_entry(text)
            if entry.category != category:
                raise InvalidInput(f"The entry says category '{entry.category}' and lies in '{category}'.")
        return text


def _is_retired(real: Path) -> bool:
    try:
        return parse_entry(disk.read_text(real)[1]).status == "retired"
    except (InvalidEntry, FileNotFoundError):
        return False  # shown, so that it can be mended


def _apply(write: Write) -> None:
    """One step, under the lock. Raises BankConflict when somebody's editor was faster."""
    if write.content is not None:
        write.path.parent.mkdir(parents=True, exist_ok=True)
        disk.replace(write.path, expected=write.expected, content=write.content)
    elif write.to is None:
        write.path.unlink(missing_ok=True)
    elif write.path.is_dir():
        write.to.parent.mkdir(parents=True, exist_ok=True)
        write.path.rename(write.to)
    else:
        write.to.parent.mkdir(parents=True, exist_ok=True)
        os.link(write.path, write.to)  # never over a file that appeared meanwhile
        write.path.unlink()
