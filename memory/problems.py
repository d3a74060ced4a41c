"""What is wrong with files of a bank, so that a person can mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from memory.entry import CATEGORIES, Entry
from memory.files import BESIDE


@dataclass(frozen=True, slots=True)
class Problem:
    """A file of the bank that does not count as an entry, or counts with a caution."""

    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """One file read: its entry, or the reason why there is none."""

    path: str
    entry: Entry | None
    reason: str = ""


def find_problems(root: Path, loaded: Sequence[Loaded]) -> tuple[Problem, ...]:
    """The problems of the bank in `root`, of which `loaded` are the files, in name order."""
    found = [Problem(root / one.path, one.reason) for one in loaded if one.reason]
    copies = Counter(one.entry.id for one in loaded if one.entry)
    for one in loaded:
        if one.entry and copies[one.entry.id] > 1:
            reason = f"Another file has the same id {one.entry.id}; give one of them its own, or remove it."
            found.append(Problem(root / one.path, reason))
        if one.entry and not one.path.startswith(f"{one.entry.category}/"):
            reason = f"The file lies in another folder than its category '{one.entry.category}'; move it."
            found.append(Problem(root / one.path, reason))
    found += [*_strays(root), *_beside(root)]
    return tuple(sorted(found, key=lambda problem: (str(problem.path), problem.message)))


def _strays(root: Path) -> list[Problem]:
    found: list[Problem] = []
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.name in CATEGORIES and folder.is_symlink():
            found.append(Problem(folder, "The folder is a symbolic link, which is not followed."))
        elif folder.name.startswith("."):
            continue  # ours, or hidden on purpose
        elif folder.is_dir() and folder.name not in CATEGORIES and any(folder.glob("*.md")):
            known = ", ".join(CATEGORIES)
            reason = f"The folder is not a category, so its files are not read ({known})."
            found.append(Problem(folder, reason))
    return found


def _beside(root: Path) -> list[Problem]:
    return [
        Problem(path, "An edit that could not be merged; put what is missing into the entry, and remove it.")
        for category in CATEGORIES
        for path in (root / category).glob(f"*.md{BESIDE}*")
    ]
