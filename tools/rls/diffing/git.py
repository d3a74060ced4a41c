"""SQL files of a folder, as they lie there or as they were at a git revision."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.errors import InvalidInput, NotFound, Unavailable
from tools.sandbox.scratch.layout import ordered, upward, wanted

_LIMIT = 2_000
"""Files of one folder; more is no folder of migrations."""


def folder_texts(folder: Path) -> list[str]:
    """The migrations of a folder in the order in which they run, without what undoes them."""
    found = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if wanted(file.name)}
    texts = {name: _read(found[name]) for name in sorted(found)[:_LIMIT]}
    names = ordered(texts)
    if not names:
        raise NotFound(f"There is no .sql file in {folder}.")
    return [upward(texts[name]) for name in names]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(f"{file} cannot be read as UTF-8 text.") from None


def texts_at(revision: str, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """The same at a revision. Raises NotFound for a revision or folder that git does not know.

    Blobs are read as they are stored: no filter, hook or external program of the repository runs.
    """
    if revision.startswith("-") or not revision.strip():
        raise InvalidInput(f"{revision!r} is no git revision.")
    place = _existing(folder)
    top = Path(_git(["rev-parse", "--show-toplevel"], place, environment).strip())
    inside = folder.resolve().relative_to(top).as_posix()
    commit = _git(["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], place, environment).strip()
    listed = _git(["ls-tree", "-r", "-z", "--name-only", commit, "--", inside], top, environment)
    found = sorted(name for name in listed.split("\0") if wanted(name.rpartition("/")[2]))[:_LIMIT]
    blobs = {name: _git(["cat-file", "blob", f"{commit}:{name}"], top, environment) for name in found}
    texts = {name.removeprefix(inside).lstrip("/") or name: text for name, text in blobs.items()}
    names = ordered(texts)
    if not names:
        raise NotFound(f"There is no .sql file in {inside} at {revision}.")
    return [upward(texts[name]).removeprefix("\ufeff") for name in names]


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists: it may be there at the revision only."""
    place = folder.resolve()
    while not place.is_dir():
        place = place.parent
    return place


def _git(words: list[str], place: Path, environment: Mapping[str, str]) -> str:
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *words]
    try:
        done = subprocess.run(
            command, cwd=place, env=dict(environment), capture_output=True, timeout=60, check=False
        )
    except FileNotFoundError:
        raise Unavailable("git is not installed.") from None
    except subprocess.TimeoutExpired:
        raise Unavailable("git took too long.") from None
    if done.returncode != 0:
        what = words[-1].removesuffix("^{commit}")
        if "not a git repository" in done.stderr.decode(errors="replace"):
            raise NotFound(f"{place} is in no git repository.")
        raise NotFound(f"git does not know {what} in {place}.")
    return done.stdout.decode("utf-8", errors="replace")
