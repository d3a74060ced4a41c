"""Whether a person on this machine accepted the patterns of a sergei.toml.

The file comes with a repository, and a repository can be cloned, pulled or edited by a program: what it says
may run without asking is in force only after somebody read it and accepted exactly that, in a terminal. What
was accepted is kept as hashes in the state folder, outside every workspace.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from agent.patterns import Pattern

if TYPE_CHECKING:
    from agent.settings import Settings


def in_force(settings: Settings) -> tuple[Pattern, ...]:
    """The patterns of sergei.toml, or none while nobody accepted them as they stand now."""
    return settings.patterns if is_accepted(settings) else ()


def is_accepted(settings: Settings) -> bool:
    """Whether exactly these patterns were accepted for this workspace; true where there are none."""
    if not settings.patterns:
        return True
    try:
        return _seal(settings) in _file(settings).read_text(encoding="ascii").split()
    except (FileNotFoundError, UnicodeDecodeError):
        return False


def accept(settings: Settings) -> None:
    """Remember that a person accepted these patterns, as they stand now, for this workspace."""
    file = _file(settings)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as kept:
        kept.write(f"{_seal(settings)}\n")


def _file(settings: Settings) -> Path:
    return settings.state_dir / "accepted-patterns"


def _seal(settings: Settings) -> str:
    """A hash over the workspace and every pattern, so that a changed one must be accepted anew."""
    patterns = [pattern.model_dump(mode="json") for pattern in settings.patterns]
    return sha256(json.dumps([str(settings.workspace), patterns], sort_keys=True).encode()).hexdigest()
