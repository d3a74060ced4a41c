"""The bank's folder on disk: which files are entries, one writer at a time, writes whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import unicodedata
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from memory import exchange, locks
from memory.entry import CATEGORIES, Entry
from memory.errors import BankConflict, BankUnavailable, InvalidEntry
from memory.ulid import tail

MAX_FILE = 256 * 1024
_SLUG = 60
_CHUNK = 32 * 1024
LOCK_NAME = ".lock"
INDEX_NAME = ".index.sqlite"
_TEMPORARY = ".tmp-"
BESIDE = ".conflict-"
HISTORY_NAME = ".history"
IGNORED = (f"{INDEX_NAME}*", f"{LOCK_NAME}*", f"{_TEMPORARY}*", f"{HISTORY_NAME}/")
# A file changed within the clock's granularity of our look may change again without a new time stamp.
SETTLED_AFTER_NS = 50_000_000


class Found(NamedTuple):
    """A Markdown file in one of the category folders, as the folder listing shows it."""

    path: str  # relative to the bank, with '/'
    size: int
    signature: str  # changes with every write: size, mtime, ctime, inode
    mtime_ns: int
    is_link: bool

    def settled(self, looked_ns: int) -> bool:
        """Whether the same signature later means the same content, when it was read at `looked_ns`."""
        return self.mtime_ns < looked_ns - SETTLED_AFTER_NS


def list_files(root: Path) -> list[Found]:
    """Every `*.md` in the category folders of `root`, in name order. A missing folder holds none."""
    return [file for category in sorted(CATEGORIES) for file in list_folder(root, category)]


def list_folder(root: Path, category: str) -> list[Found]:
    """`list_files` for one category folder."""
    folder = root / category
    found: list[Found] = []
    if folder.is_symlink() or not folder.is_dir():
        return found
    with os.scandir(folder) as listing:
        for item in listing:
            if item.name.endswith(".md") and not item.name.startswith("."):
                found += _found(item, category)
    return sorted(found, key=lambda file: file.path)


def listed(root: Path | str, path: str) -> Found | None:
    """One file as `list_files` would show it, or None when it is not there."""
    try:
        return _as_found(path, os.lstat(f"{root}/{path}"))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _found(item: os.DirEntry[str], category: str) -> list[Found]:
    try:
        status = item.stat(follow_symlinks=False)
    except FileNotFoundError:  # removed since the listing
        return []
    return [_as_found(f"{category}/{item.name}", status)]


def _as_found(path: str, status: os.stat_result) -> Found:
    signature = f"{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}.{status.st_ino}"
    return Found(path, status.st_size, signature, status.st_mtime_ns, stat.S_ISLNK(status.st_mode))


def read_text(path: Path | str) -> tuple[bytes, str]:
    """A file's bytes and text. InvalidEntry when it cannot be an entry; FileNotFoundError when it is gone."""
    try:
        content = _content(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            reason = "The file is a symbolic link, which is not followed; put the entry itself here."
            raise InvalidEntry(reason) from error
        raise InvalidEntry(f"The file cannot be read: {error.strerror}.") from error
    if len(content) > MAX_FILE:
        raise InvalidEntry(f"The file has {os.lstat(path).st_size} bytes; an entry has at most {MAX_FILE}.")
    try:
        return content, content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidEntry(f"The file is not UTF-8 (byte {error.start}); save it as UTF-8.") from error


def _content(path: Path | str) -> bytes:
    """The bytes of a file that is no link, up to one more than an entry has. A pipe is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        content = os.read(descriptor, _CHUNK)
        while len(content) <= MAX_FILE and (more := os.read(descriptor, _CHUNK)):
            content += more
        return content
    finally:
        os.close(descriptor)


def file_name(entry: Entry) -> str:
    """`CATEGORY/slug--tail.md`: readable, and unique through the end of the id."""
    plain = unicodedata.normalize("NFKD", entry.title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(slug) > _SLUG:
        slug = slug[: _SLUG + 1].rpartition("-")[0] or slug[:_SLUG]
    return f"{entry.category}/{slug or 'entry'}--{tail(entry.id)}.md"


@contextmanager
def exclusive(root: Path, *, wait: float = 15.0) -> Generator[None]:
    """Hold the bank alone, across processes. BankConflict after `wait` seconds of somebody else."""
    try:
        prepare(root)
        held = locks.take(root / LOCK_NAME, wait)
    except OSError as error:
        raise BankUnavailable(f"The memory bank {root} cannot be written: {error.strerror}.") from error
    try:
        _sweep(root)
        yield
    finally:
        held.release()


def prepare(root: Path) -> None:
    """Create the bank's folder, and keep its caches, its lock and its journal out of git."""
    root.mkdir(parents=True, exist_ok=True)
    ignore = root / ".gitignore"
    with suppress(FileExistsError), ignore.open("x", encoding="utf-8") as file:
        file.write("".join(f"{pattern}\n" for pattern in IGNORED))
        return
    # An older bank, or a person's own file: what is missing is added, the rest is theirs.
    if ignore.is_symlink() or not ignore.is_file():
        return
    text = ignore.read_text(encoding="utf-8", errors="replace")
    if missing := [pattern for pattern in IGNORED if pattern not in text]:
        with ignore.open("a", encoding="utf-8") as file:
            file.write("\n" if text and not text.endswith("\n") else "")
            file.write("".join(f"{pattern}\n" for pattern in missing))


def _sweep(root: Path) -> None:
    """Remove what a killed writer left. Only called under the lock, so nobody is still writing it."""
    with os.scandir(root) as listing:
        leftovers = [item.path for item in listing if item.name.startswith(_TEMPORARY)]
    for leftover in leftovers:
        Path(leftover).unlink(missing_ok=True)


def replace(
    path: Path,
    *,
    expected: bytes | None,
    content: bytes,
    scratch: Path | None = None,
    record: Callable[[], None] | None = None,
) -> None:
    """Put `content` at `path`, whole and on disk, if the file still is `expected` (None: does not exist).

    `record` runs when nothing stands in the way any more, before the file changes. `scratch` is the bank's
    folder, where a temporary file of a killed process is swept. Raises BankConflict otherwise, with the file
    untouched; BankUnavailable when the disk says no.
    """
    temporary = (scratch or path.parent) / f"{_TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        path.parent.mkdir(exist_ok=True)
        _write(temporary, content)
        if expected is not None and path.exists():
            shutil.copymode(path, temporary)
        if current(path) != expected:
            raise BankConflict(f"{path.name} changed while it was being written; nothing was overwritten.")
        if record:
            record()
        _put(temporary, path, expected)
        sync_folder(path.parent)
    except OSError as error:
        raise BankUnavailable(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _put(temporary: Path, path: Path, expected: bytes | None) -> None:
    """Rename, without a moment in which somebody's save is lost: what was there is looked at afterwards."""
    if expected is None:
        try:
            os.link(temporary, path)  # unlike a rename, it never replaces
        except FileExistsError:
            raise BankConflict(f"{path.name} was created meanwhile; nothing was overwritten.") from None
        except OSError:  # a filesystem without hard links
            temporary.replace(path)
        return
    if not exchange.swap(temporary, path):
        temporary.replace(path)
        return
    if current(temporary) == expected:
        return
    # A person saved between our look and the exchange: theirs goes back, and the caller tries again.
    exchange.swap(temporary, path)
    raise BankConflict(f"{path.name} changed while it was being written; nothing was overwritten.")


def keep_beside(path: Path, content: bytes) -> Path:
    """Put a text that could not be merged into a file of its own beside `path`, on disk. Where it is."""
    beside = path.with_name(f"{path.name}{BESIDE}{secrets.token_hex(3)}")
    _write(beside, content)
    sync_folder(path.parent)
    return beside


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def current(path: Path) -> bytes | None:
    """The bytes at `path`, or None when there is no file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def sync_folder(folder: Path) -> None:
    """Have the folder's names on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
