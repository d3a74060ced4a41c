"""The bank's folder on disk: which files are entries, one writer at a time, writes whole or not at all."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from memory.entry import CATEGORIES, Entry
from memory.errors import BankConflict, BankUnavailable, InvalidEntry
from memory.ulid import tail

MAX_FILE = 256 * 1024
_SLUG = 60
LOCK_NAME = ".lock"
INDEX_NAME = ".index.sqlite"
_TEMPORARY = ".tmp-"
_IGNORED = f"{INDEX_NAME}*\n{LOCK_NAME}\n{_TEMPORARY}*\n"
# A file changed within the clock's granularity of our look may change again without a new time stamp.
_SETTLED_AFTER_NS = 50_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A Markdown file in one of the category folders, as the folder listing shows it."""

    path: str  # relative to the bank, with '/'
    size: int
    signature: str  # changes with every write: size, mtime, ctime, inode
    mtime_ns: int
    is_link: bool

    def settled(self, looked_ns: int) -> bool:
        """Whether the same signature later means the same content, when it was read at `looked_ns`."""
        return self.mtime_ns < looked_ns - _SETTLED_AFTER_NS


def list_files(root: Path) -> list[Found]:
    """Every `*.md` in the category folders of `root`, in name order. A missing folder holds none."""
    found: list[Found] = []
    for category in sorted(CATEGORIES):
        folder = root / category
        if folder.is_symlink() or not folder.is_dir():
            continue
        with os.scandir(folder) as listing:
            for item in listing:
                if item.name.endswith(".md") and not item.name.startswith("."):
                    found += _found(item, category)
    return sorted(found, key=lambda file: file.path)


def _found(item: os.DirEntry[str], category: str) -> list[Found]:
    try:
        stat = item.stat(follow_symlinks=False)
    except FileNotFoundError:  # removed since the listing
        return []
    signature = f"{stat.st_size}.{stat.st_mtime_ns}.{stat.st_ctime_ns}.{stat.st_ino}"
    return [Found(f"{category}/{item.name}", stat.st_size, signature, stat.st_mtime_ns, item.is_symlink())]


def read_text(path: Path) -> tuple[bytes, str]:
    """A file's bytes and text. InvalidEntry when it cannot be an entry; FileNotFoundError when it is gone."""
    if path.is_symlink():
        raise InvalidEntry("The file is a symbolic link, which is not followed; put the entry itself here.")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InvalidEntry(f"The file cannot be read: {error.strerror}.") from error
    if len(content) > MAX_FILE:
        raise InvalidEntry(f"The file has {len(content)} bytes; an entry has at most {MAX_FILE}.")
    try:
        return content, content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidEntry(f"The file is not UTF-8 (byte {error.start}); save it as UTF-8.") from error


def file_name(entry: Entry) -> str:
    """`CATEGORY/slug--tail.md`: readable, and unique through the end of the id."""
    plain = unicodedata.normalize("NFKD", entry.title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(slug) > _SLUG:
        slug = slug[: _SLUG + 1].rpartition("-")[0] or slug[:_SLUG]
    return f"{entry.category}/{slug or 'entry'}--{tail(entry.id)}.md"


@contextmanager
def exclusive(root: Path, *, wait: float = 15.0) -> Generator[None]:
    """Hold the bank alone, across processes and threads. BankConflict after `wait` seconds of somebody else.

    The kernel drops the lock when its holder dies, however it dies.
    """
    try:
        prepare(root)
        descriptor = _locked(root / LOCK_NAME, wait)
    except OSError as error:
        raise BankUnavailable(f"The memory bank {root} cannot be written: {error.strerror}.") from error
    try:
        _sweep(root)
        yield
    finally:
        os.close(descriptor)


def prepare(root: Path) -> None:
    """Create the bank's folder, and keep its cache and lock out of git."""
    root.mkdir(parents=True, exist_ok=True)
    ignore = root / ".gitignore"
    with suppress(FileExistsError), ignore.open("x", encoding="utf-8") as file:
        file.write(_IGNORED)


def _locked(path: Path, wait: float) -> int:
    deadline = time.monotonic() + wait
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Somebody may have deleted the file (git clean): then the lock we hold guards nothing.
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except BlockingIOError:
            pass
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise BankConflict(
                f"Another process has held the memory bank {path.parent} for {wait:g} s; try again."
            )
        time.sleep(0.003)


def _sweep(root: Path) -> None:
    """Remove what a killed writer left. Only called under the lock, so nobody is still writing it."""
    for category in CATEGORIES:
        for leftover in (root / category).glob(f"{_TEMPORARY}*"):
            leftover.unlink(missing_ok=True)


def replace(path: Path, *, expected: bytes | None, content: bytes) -> None:
    """Put `content` at `path`, whole and on disk, if the file still is `expected` (None: does not exist).

    Raises BankConflict otherwise, with the file untouched; BankUnavailable when the disk says no.
    """
    temporary = path.with_name(f"{_TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(exist_ok=True)
        _write(temporary, content)
        if expected is not None and path.exists():
            shutil.copymode(path, temporary)
        if _current(path) != expected:
            raise BankConflict(f"{path.name} changed while it was being written; nothing was overwritten.")
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise BankUnavailable(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _current(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
