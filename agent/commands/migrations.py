"""The SQL texts of a migrations folder, a single file, or either at a git revision, in their order."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shutil import which
from typing import Final

from tools.errors import ConfigurationError, InvalidInput, NotFound
from tools.sandbox.scratch.layout import ordered, upward, wanted

_REVISION: Final = re.compile(r"(?P<rev>[^:\s-][^:\s]*):(?P<path>[^:]+)")


@dataclass(frozen=True, slots=True)
class Migrations:
    """SQL texts in order, with the names of their files. `label` says where they are from."""

    label: str
    names: tuple[str, ...]
    texts: tuple[str, ...]


def at_revision(text: str) -> bool:
    """Whether `text` reads as REV:PATH and not as a path or a URL of its own."""
    return "://" not in text and not Path(text).exists() and _REVISION.fullmatch(text) is not None


def read(text: str) -> Migrations:
    """The migrations that a folder, a file or REV:PATH holds. Raises NotFound or InvalidInput."""
    files = _git(text) if at_revision(text) else _disk(Path(text))
    names = ordered(files)
    if not names:
        raise NotFound(f"There is no migration (*.sql) in {text}.")
    return Migrations(text, tuple(names), tuple(upward(files[name]) for name in names))


def _disk(path: Path) -> dict[str, str]:
    if not path.exists():
        raise NotFound(f"There is no folder or file {path}.", hint="At a git revision it is REV:PATH.")
    files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if wanted(f.name) and f.is_file())
    root = path.parent if path.is_file() else path
    try:
        return {f.relative_to(root).as_posix(): f.read_text(encoding="utf-8-sig") for f in files}
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(f"{path} holds a file that is not readable UTF-8 text.") from None


def _git(text: str) -> dict[str, str]:
    """One `git archive` of the folder, or of the single file, as it was at the revision."""
    found = _REVISION.fullmatch(text)
    assert found is not None  # at_revision said so
    rev, path = found["rev"], found["path"].rstrip("/")
    if which("git") is None:
        raise ConfigurationError("git is needed for a revision and is not installed.")
    tree = f"{rev}:{path if path.startswith('/') else f'./{path}'}"
    kind = _run("cat-file", "-t", tree)
    if kind is None:
        raise NotFound(
            f"git knows no {path} at {rev}.", hint="Run in the repository; fetch the revision first."
        )
    if kind.strip() == b"blob":
        return {PurePosixPath(path).name: _text(_run("cat-file", "blob", tree) or b"", text)}
    # Below the top folder `git archive` looks for that very folder inside the tree.
    top, name = _run("rev-parse", "--show-toplevel"), _run("rev-parse", "--verify", tree)
    archive = _run(
        "-C", (top or b".").decode().strip(), "archive", "--format=tar", (name or b"").decode().strip()
    )
    if archive is None:
        raise NotFound(f"git cannot read {path} at {rev}.")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = [m for m in tar.getmembers() if m.isfile() and wanted(PurePosixPath(m.name).name)]
        return {m.name: _text(_content(tar, m), text) for m in members}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file else b""


def _text(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{where} holds a file that is not UTF-8 text.") from None


def _run(*words: str) -> bytes | None:
    """What git says, None where it fails."""
    done = subprocess.run(["git", *words], capture_output=True, check=False)  # noqa: S607  the user's own git
    return done.stdout if done.returncode == 0 else None
