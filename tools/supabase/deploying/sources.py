"""The files of a function: its entrypoint and what it imports, as the bundler will look for them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.errors import InvalidInput, NotFound
from tools.redaction import Redactor
from tools.supabase.deploying.settings import FunctionSettings, read_imports, read_settings
from tools.supabase.models import SourceFile

if TYPE_CHECKING:
    from tools.workspace.jail import Workspace

_MOST, _LARGEST = 500, 20_000_000
_IMPORT: Final = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\n]+)["']""")
_CODE: Final = frozenset({".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs"})
_READS: Final = re.compile(r"""Deno\.env\.get\(\s*["']([A-Za-z_]\w*)["']\s*\)(\s*(?:\?\?|\|\|))?""")
_GIVEN: Final = re.compile(r"SUPABASE_\w+|SB_\w+|DENO_\w+")
"""Variables that Supabase sets itself."""
_SECRETS: Final = Redactor(strict=False)


@dataclass(frozen=True, slots=True)
class Sources:
    """What is sent. Names are relative to the workspace, so that relative imports hold."""

    files: tuple[SourceFile, ...]
    entrypoint: str
    import_map: str | None
    verify_jwt: bool | None

    @property
    def digest(self) -> str:
        """Of all names and contents."""
        lines = (f"{file.name}\0{hashlib.sha256(file.content).hexdigest()}" for file in self.files)
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()

    def code(self) -> Iterator[tuple[str, str]]:
        """Name and text of each file of code."""
        for file in self.files:
            if Path(file.name).suffix in _CODE:
                yield file.name, file.content.decode("utf-8", errors="replace")

    def wanted(self) -> dict[str, str]:
        """Variables that the code reads without a default, each with a file that does."""
        return {
            found[1]: name
            for name, text in self.code()
            for found in _READS.finditer(text)
            if not found[2] and not _GIVEN.fullmatch(found[1])
        }

    def telling(self) -> list[str]:
        """Files in which something looks like a secret."""
        return [name for name, text in self.code() if _SECRETS.text(text) != text]


def read_sources(workspace: Workspace, slug: str) -> Sources:
    """The files of one function. Raises NotFound, Refused, InvalidInput (an import that is missing)."""
    settings = read_settings(workspace, slug)
    found = _reached(workspace, settings)
    for pattern in settings.static_files:
        for path in sorted((workspace.root / "supabase").glob(pattern.removeprefix("./"))):
            if path.is_file():
                found.setdefault(workspace.file(str(path)))
    files = [SourceFile(workspace.name(path), path.read_bytes()) for path in found]
    if len(files) > _MOST or sum(len(file.content) for file in files) > _LARGEST:
        raise InvalidInput(f"{slug} has more than {_MOST} files or {_LARGEST // 1_000_000} MB.")
    return Sources(
        tuple(files),
        workspace.name(settings.entrypoint),
        workspace.name(settings.import_map) if settings.import_map else None,
        settings.verify_jwt,
    )


def _reached(workspace: Workspace, settings: FunctionSettings) -> dict[Path, None]:
    """The entrypoint, what it imports, and the import map, in the order in which they are met."""
    mapped = read_imports(settings.import_map) if settings.import_map else {}
    found: dict[Path, None] = {settings.entrypoint: None}
    waiting = [settings.entrypoint]
    while waiting:
        file = waiting.pop(0)
        if file.suffix not in _CODE:
            continue
        for name in _IMPORT.findall(file.read_bytes().decode("utf-8", errors="replace")):
            target = _target(name, file, mapped, settings.import_map)
            if target is None:
                continue
            real = _existing(workspace, target, name, file)
            if real not in found:
                found[real] = None
                waiting.append(real)
    if settings.import_map:
        found.setdefault(settings.import_map)
    return found


def _target(name: str, file: Path, mapped: dict[str, str], import_map: Path | None) -> Path | None:
    """The local file that an import means; None for one from elsewhere (npm:, jsr:, https:)."""
    if name.startswith(("./", "../")):
        return file.parent / name
    best = max((key for key in mapped if _covers(key, name)), key=len, default=None)
    if best is None or import_map is None or not mapped[best].startswith(("./", "../")):
        return None
    return import_map.parent / (mapped[best] + name[len(best) :])


def _covers(key: str, name: str) -> bool:
    return key == name or (key.endswith("/") and name.startswith(key))


def _existing(workspace: Workspace, target: Path, name: str, file: Path) -> Path:
    try:
        return workspace.file(str(target))
    except NotFound:
        where = workspace.name(file)
        raise InvalidInput(f"{where} imports {name!r}, and there is no such file.") from None
