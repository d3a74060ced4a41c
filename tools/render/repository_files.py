"""The paths of the repository that holds render.yaml, and the patterns that build filters match them with."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from tools.workspace.jail import Workspace

MOST: Final = 20_000
"""Paths that are looked at; with more nothing is concluded about what is missing."""
_LARGEST: Final = 1_000_000
_TOKEN: Final = re.compile(r"\*\*/|/\*\*$|\*\*|\*|\?|\[!?[^\]/]+\]|[^*?\[]+|\[")
_SIGN: Final = re.compile(r"[^A-Za-z0-9_-]")
_PARTS: Final = {"**/": "(?:.*/)?", "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "[": r"\["}


def repository_files(workspace: Workspace) -> tuple[frozenset[str] | None, frozenset[str]]:
    """The paths, and the folders whose package.json names engines; None where there is no repository."""
    root = workspace.root
    if not (root / ".git").exists():
        return None, frozenset()
    paths: set[str] = set()
    engines: set[str] = set()
    for file in workspace.files(root):
        name = file.relative_to(root).as_posix()
        paths.add(name)
        if len(paths) > MOST:
            return None, frozenset()
        if file.name == "package.json" and file.stat().st_size < _LARGEST and _has_engines(file.read_bytes()):
            engines.add(name.removesuffix("package.json").rstrip("/"))
    return frozenset(paths), frozenset(engines)


@cache
def glob(pattern: str) -> re.Pattern[str]:
    """A build filter's pattern: `*` within a folder, `**` across folders, `?`, `[...]`."""
    parts = [_PARTS.get(token) or _other(token) for token in _TOKEN.findall(pattern.removeprefix("./"))]
    return re.compile("".join(parts))


def _other(token: str) -> str:
    if token.startswith("[") and token.endswith("]"):
        inside = token[1:-1]
        negated, inside = "^" * inside.startswith("!"), inside.removeprefix("!")
        return "[" + negated + _SIGN.sub(r"\\\g<0>", inside) + "]"
    return re.escape(token)


def _has_engines(content: bytes) -> bool:
    try:
        found: Any = json.loads(content)
    except ValueError:
        return False
    engines: Any = cast("dict[str, Any]", found).get("engines") if isinstance(found, dict) else None
    return isinstance(engines, dict) and "node" in engines
