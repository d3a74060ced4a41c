"""The SQL texts of a migrations folder, a single file, or a folder at a git revision, in their order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.errors import InvalidInput, NotFound
from tools.rls.diffing.git import folder_texts, texts_at
from tools.sandbox.scratch.layout import upward

_REVISION: Final = re.compile(r"(?P<rev>[^:\s-][^:\s]*):(?P<path>[^:]+)")


@dataclass(frozen=True, slots=True)
class Migrations:
    """SQL texts in the order in which they run. `label` says where they are from."""

    label: str
    texts: tuple[str, ...]


def at_revision(text: str) -> bool:
    """Whether `text` reads as REV:PATH and not as a path or a URL of its own."""
    return "://" not in text and not Path(text).exists() and _REVISION.fullmatch(text) is not None


def read(text: str, environment: Mapping[str, str]) -> Migrations:
    """The migrations that a folder, a file or REV:PATH holds. Raises NotFound or InvalidInput.

    `environment` is what git may see.
    """
    if at_revision(text):
        revision, _, place = text.partition(":")
        return Migrations(text, tuple(texts_at(revision, Path(place), environment)))
    path = Path(text)
    if not path.exists():
        raise NotFound(f"There is no folder or file {text}.", hint="At a git revision it is REV:PATH.")
    if path.is_dir():
        return Migrations(text, tuple(folder_texts(path)))
    try:
        return Migrations(text, (upward(path.read_text(encoding="utf-8-sig")),))
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(f"{text} cannot be read as UTF-8 text.") from None
