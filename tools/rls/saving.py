"""A snapshot as a JSON file and back, exactly: what was in force on a day, to compare with or to keep.

It holds definitions only (names, privileges, policies, function bodies), never a row of a table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from functools import lru_cache
from types import NoneType
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

from tools.errors import InvalidInput
from tools.rls.snapshot import Snapshot

FORMAT: Final = "sergei-rls-snapshot"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Saved:
    """A snapshot with the target that it was read from and when (ISO 8601, UTC)."""

    target: str
    taken: str
    snapshot: Snapshot


def dump(snapshot: Snapshot, target: str, now: datetime) -> str:
    """The text of a file. Two snapshots that are the same give the same text but for target and time."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "target": target,
        "taken": now.isoformat(timespec="seconds"),
        "snapshot": encoded(snapshot),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def load(text: str, name: str = "the file") -> Saved:
    """A saved snapshot. Raises InvalidInput when the text is none, or was written by a later version."""
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput(f"{name} is not JSON.", hint="`sergei rls diff --save FILE` writes one.") from None
    if not isinstance(document, dict) or cast("dict[str, Any]", document).get("format") != FORMAT:
        raise InvalidInput(f"{name} is no saved snapshot.", hint="`sergei rls diff --save FILE` writes one.")
    found = cast("dict[str, Any]", document)
    if found.get("version") != VERSION:
        said = (
            f"{name} is a snapshot of format version {found.get('version')}, and this is version {VERSION}."
        )
        raise InvalidInput(said, hint="Save it again with this Sergei.")
    try:
        snapshot = cast("Snapshot", _decoded(Snapshot, found["snapshot"]))
        return Saved(str(found["target"]), str(found["taken"]), snapshot)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidInput(f"{name} is damaged, or lacks parts that this version needs.") from None


def encoded(value: Any) -> Any:
    """A snapshot, or a part of one, as what JSON can say. Sets are sorted; empty fields are kept."""
    if is_dataclass(value) and not isinstance(value, type):
        # What counts on by itself (statistics) would make no two files the same.
        kept = [field.name for field in fields(value) if field.metadata.get("saved", True)]
        return {name: encoded(getattr(value, name)) for name in kept}
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value)
        return {key: encoded(item) for key, item in items.items()}
    if isinstance(value, frozenset | set):
        return sorted(encoded(item) for item in cast("Iterable[Any]", value))
    if isinstance(value, tuple | list):
        return [encoded(item) for item in cast("Iterable[Any]", value)]
    return value


def _decoded(kind: Any, value: Any) -> Any:
    """The value as the annotation `kind` says."""
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return _object(kind, value)
    if origin is tuple:
        return _tuple(arguments, value)
    if origin is frozenset:
        return frozenset(_decoded(arguments[0], item) for item in value)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _decoded(arguments[1], item) for key, item in value.items()}
    if NoneType in arguments:
        others = [one for one in arguments if one is not NoneType]
        return None if value is None else _decoded(others[0], value)
    if origin is None and isinstance(kind, type):
        return _plain(kind, value)
    return value  # a Literal, say: its text is its value


def _plain(kind: type, value: Any) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind):
        raise TypeError(kind.__name__)
    return value


def _tuple(arguments: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_decoded(arguments[0], item) for item in value)
    return tuple(_decoded(one, item) for one, item in zip(arguments, value, strict=True))


def _object(kind: type, value: Any) -> Any:
    given: dict[str, Any] = {}
    for field, annotation in _shape(kind):
        if field.name in value:
            given[field.name] = _decoded(annotation, value[field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise KeyError(field.name)  # with a default, it is a field that the file is older than
    return kind(**given)


@lru_cache(maxsize=32)
def _shape(kind: type) -> tuple[tuple[Any, Any], ...]:
    hints = get_type_hints(kind)
    return tuple((field, hints[field.name]) for field in fields(cast("Any", kind)))
