"""What supabase/config.toml and deno.json say about one function."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from tools.errors import InvalidInput

if TYPE_CHECKING:
    from tools.workspace.jail import Workspace

FUNCTIONS: Final = "supabase/functions"
_ENTRYPOINTS: Final = ("index.ts", "index.tsx", "index.js", "index.jsx", "index.mjs")
_MAPS: Final = ("deno.json", "deno.jsonc", "import_map.json")
_COMMENT: Final = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMA: Final = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])')


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """Paths are of real files in the workspace. `verify_jwt` is None where nothing says it."""

    folder: Path
    entrypoint: Path
    import_map: Path | None
    verify_jwt: bool | None
    static_files: tuple[str, ...]


def read_settings(workspace: Workspace, slug: str) -> FunctionSettings:
    """The settings of one function. Raises NotFound, InvalidInput."""
    section = _section(workspace, slug)
    base = workspace.root / "supabase"
    folder = workspace.resolve(f"{FUNCTIONS}/{slug}")
    if named := _text(section, "entrypoint"):
        entrypoint = workspace.file(str(base / named))
    else:
        found = (folder / name for name in _ENTRYPOINTS)
        first = next((path for path in found if path.is_file()), folder / _ENTRYPOINTS[0])
        entrypoint = workspace.file(str(first))
    verify, static = section.get("verify_jwt"), section.get("static_files")
    if verify is not None and not isinstance(verify, bool):
        raise InvalidInput(f"supabase/config.toml: verify_jwt of {slug} must be true or false.")
    patterns = cast("list[Any]", static) if isinstance(static, list) else []
    return FunctionSettings(
        folder, entrypoint, _map(workspace, base, folder, section), verify, tuple(map(str, patterns))
    )


def _section(workspace: Workspace, slug: str) -> Mapping[str, Any]:
    file = workspace.root / "supabase" / "config.toml"
    if not file.is_file():
        return {}
    try:
        whole = tomllib.loads(workspace.file(str(file)).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"supabase/config.toml cannot be read: {error}.") from None
    functions = whole.get("functions")
    section = functions.get(slug) if isinstance(functions, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  parsed TOML
    return cast("Mapping[str, Any]", section) if isinstance(section, dict) else {}


def _map(workspace: Workspace, base: Path, folder: Path, section: Mapping[str, Any]) -> Path | None:
    if named := _text(section, "import_map"):
        return workspace.file(str(base / named))
    places = [*(folder / name for name in _MAPS), folder.parent / "import_map.json"]
    found = next((place for place in places if place.is_file()), None)
    return workspace.file(str(found)) if found else None


def _text(section: Mapping[str, Any], name: str) -> str:
    value = section.get(name)
    return value if isinstance(value, str) else ""


def read_imports(file: Path) -> dict[str, str]:
    """The `imports` of a deno.json, deno.jsonc or import map. Raises InvalidInput when it cannot be read."""
    try:
        text = _COMMENT.sub(lambda found: found[1] or " ", file.read_text(encoding="utf-8"))
        whole: Any = json.loads(_COMMA.sub(lambda found: found[1] or "", text))
    except (ValueError, RecursionError):
        raise InvalidInput(f"{file.name} of the function is not valid JSON.") from None
    imports = cast("Mapping[str, Any]", whole).get("imports") if isinstance(whole, dict) else None
    if not isinstance(imports, dict):
        return {}
    items = cast("Mapping[str, Any]", imports).items()
    return {name: value for name, value in items if isinstance(value, str)}
