"""The versions that were replaced: Supabase keeps none, so each is kept here before the next is deployed."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from datetime import datetime
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError

from tools.errors import InvalidInput, NotFound, Unavailable
from tools.supabase.models import Function, FunctionBundle, SourceFile

if TYPE_CHECKING:
    from tools.resources import Resources

_NAME: Final = re.compile(r"v\d+-[0-9a-f]{8}")
_SOURCE: Final = re.compile(r"^(?:file://)?/?(?:.*/)?source/")


class Kept(BaseModel):
    """One version as it was deployed. `content_type` says how its content is to be read."""

    version: str
    slug: str
    project: str
    content_type: str
    entrypoint_path: str
    import_map_path: str
    verify_jwt: bool | None
    kept_at: datetime


def version_of(function: Function, bundle: FunctionBundle) -> str:
    """`v12-1a2b3c4d`: its number and its content, as a number may come twice once a function was deleted."""
    return f"v{function.version or 0}-{hashlib.sha256(bundle.content).hexdigest()[:8]}"


def folder(resources: Resources, project: str, slug: str) -> Path:
    """Where the versions of one function lie: with the user's state, else in the workspace."""
    root = resources.state_dir or resources.workspace.root / ".sergei"
    return root / "functions" / project / slug


def keep(place: Path, project: str, function: Function, bundle: FunctionBundle, now: datetime) -> str:
    """Write it down; its name. Raises Unavailable: nothing is deployed over what is not kept."""
    name = version_of(function, bundle)
    kept = Kept(
        version=name,
        slug=function.slug,
        project=project,
        content_type=bundle.content_type,
        entrypoint_path=function.entrypoint_path,
        import_map_path=function.import_map_path,
        verify_jwt=function.verify_jwt,
        kept_at=now,
    )
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(place / f"{name}.bundle", bundle.content)
        _write(place / f"{name}.json", kept.model_dump_json(indent=1).encode())
    except OSError as error:
        raise Unavailable(f"{place} cannot be written ({error.strerror}): nothing was deployed.") from None
    return name


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def versions(place: Path) -> list[str]:
    """The names of what is kept, newest first."""
    found = (path.stem for path in place.glob("v*.json")) if place.is_dir() else ()
    names = [name for name in found if _NAME.fullmatch(name)]
    return sorted(names, key=lambda name: int(name[1:].partition("-")[0]), reverse=True)


def load(place: Path, name: str) -> tuple[Kept, FunctionBundle]:
    """A kept version. Raises NotFound with those that there are."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{name[:40]!r} is no version; one looks like v12-1a2b3c4d.")
    try:
        kept = Kept.model_validate_json((place / f"{name}.json").read_bytes())
        content = (place / f"{name}.bundle").read_bytes()
    except (OSError, ValidationError):
        there = ", ".join(versions(place)[:10]) or "none"
        raise NotFound(f"No version {name} is kept on this machine.", hint=f"There is: {there}.") from None
    if hashlib.sha256(content).hexdigest()[:8] != name.partition("-")[2]:
        raise InvalidInput(f"The kept content of {name} is damaged.")
    return kept, FunctionBundle(kept.content_type, content)


def files_of(bundle: FunctionBundle) -> tuple[SourceFile, ...]:
    """The source files of a bundle; none where Supabase gave only what it had compiled."""
    about = _header("Content-Type", bundle.content_type)
    edge = about.get_boundary()
    if about.get_content_maintype() != "multipart" or not edge:
        return ()
    files: list[SourceFile] = []
    for part in (b"\r\n" + bundle.content).split(b"\r\n--" + edge.encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _file_name(head.decode("utf-8", errors="replace"))
        if name:
            files.append(SourceFile(name, content))
    return tuple(files)


def _file_name(head: str) -> str:
    """The path of a part: Supabase's own header, else the file name; parts of another kind have none."""
    lines = dict(line.split(":", 1) for line in head.splitlines() if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, value in lines.items()}
    path = headers.get("supabase-path") or _header(
        "Content-Disposition", headers.get("content-disposition", "")
    ).get_filename("")  # fmt: skip
    path = _SOURCE.sub("", path).lstrip("/")
    return "" if ".." in path.split("/") else path


def _header(name: str, value: str) -> Message[Any, Any]:
    message = Message()
    message[name] = value
    return message


def entrypoint_among(kept: Kept, files: tuple[SourceFile, ...]) -> str | None:
    """Which of the files the function starts with."""
    return _among(kept.entrypoint_path, files) or _among("index.ts", files)


def import_map_among(kept: Kept, files: tuple[SourceFile, ...]) -> str | None:
    """Which of the files is its import map, if any is."""
    return _among(kept.import_map_path, files) if kept.import_map_path else None


def _among(path: str, files: tuple[SourceFile, ...]) -> str | None:
    ends = [file.name for file in files if path == file.name or path.endswith(f"/{file.name}")]
    return max(ends, key=len, default=None)
