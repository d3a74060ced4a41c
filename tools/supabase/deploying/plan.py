"""What a deploy of a function will do, from the workspace or from a kept version, and what of it is said."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.errors import InvalidInput, NotFound, SergeiError
from tools.supabase.deploying.kept import (
    entrypoint_among,
    files_of,
    folder,
    import_map_among,
    load,
    version_of,
)
from tools.supabase.deploying.sources import Sources, read_sources
from tools.supabase.models import Function, FunctionBundle, SourceFile

if TYPE_CHECKING:
    from tools.resources import Resources
    from tools.supabase.client import SupabaseClient

_DIFF_LINES: Final = 60


@dataclass(frozen=True, slots=True)
class Release:
    """What is to be deployed, and what is deployed now (None: nothing yet)."""

    project: str
    place: Path
    slug: str
    sources: Sources
    verify_jwt: bool
    origin: str
    now: Function | None
    bundle: FunctionBundle | None
    absent: tuple[str, ...]

    @property
    def back(self) -> str | None:
        """The name under which the present version is kept; None where there is none to come back to."""
        if self.now is None or self.bundle is None or not files_of(self.bundle):
            return None
        return version_of(self.now, self.bundle)

    @property
    def opens(self) -> bool:
        """Whether anybody may call it from now on who needed a token so far."""
        return not self.verify_jwt and (self.now is None or self.now.verify_jwt is not False)


async def read_release(resources: Resources, slug: str, restore: str | None) -> Release:
    """Everything from the present state. Raises NotFound, InvalidInput, Refused."""
    supabase = resources.supabase
    project = (await supabase.get_project()).ref or supabase.project_ref
    place = folder(resources, project, slug)
    now, bundle = await _present(supabase, slug)
    if restore:
        sources, origin = _restored(place, restore), f"the kept version {restore}"
    else:
        sources, origin = read_sources(resources.workspace, slug), f"the workspace ({slug})"
    verify = sources.verify_jwt
    if verify is None:
        verify = now.verify_jwt is not False if now else True
    return Release(
        project, place, slug, sources, verify, origin, now, bundle, await _absent(supabase, sources)
    )


async def _present(supabase: SupabaseClient, slug: str) -> tuple[Function | None, FunctionBundle | None]:
    try:
        return await supabase.get_function(slug), await supabase.get_function_bundle(slug)
    except NotFound:
        return None, None


def _restored(place: Path, name: str) -> Sources:
    kept, bundle = load(place, name)
    files = files_of(bundle)
    entrypoint = entrypoint_among(kept, files)
    if entrypoint is None:
        raise InvalidInput(
            f"{name} is kept only as Supabase compiled it, which its API does not take again.",
            hint="Check out the commit it came from and deploy that.",
        )
    return Sources(files, entrypoint, import_map_among(kept, files), kept.verify_jwt)


async def _absent(supabase: SupabaseClient, sources: Sources) -> tuple[str, ...]:
    """Variables that the code reads and the project lacks."""
    wanted = sources.wanted()
    if not wanted:
        return ()
    try:
        known = {secret.name for secret in await supabase.list_secrets()}
    except SergeiError:
        return ()
    return tuple(f"{name} ({wanted[name]})" for name in sorted(set(wanted) - known))


def listed(release: Release) -> list[str]:
    """The files with size and digest: what a yes is about."""
    return [
        f"  {file.name}  {len(file.content):,} bytes  sha256 {hashlib.sha256(file.content).hexdigest()[:12]}"
        for file in release.sources.files
    ]


def consequences(release: Release) -> list[str]:
    """What it does to whom."""
    said = ["Every call gets the new version at once; there is no gradual switch."]
    now = release.now
    if now is None:
        said = ["The function is new: it can be called as soon as it is deployed."]
    if release.opens:
        said.append("ANYBODY CAN CALL IT WITHOUT A TOKEN: verify_jwt is off.")
    elif now is not None and now.verify_jwt is False and release.verify_jwt:
        said.append("Calls without a valid token are refused from then on: verify_jwt is turned on.")
    if release.absent:
        said.append(f"The project has no secret {', '.join(release.absent)}, which the code reads.")
    if telling := release.sources.telling():
        said.append(
            f"Something in {', '.join(telling[:3])} looks like a secret: it belongs into the secrets."
        )
    return said


def undo(release: Release) -> str:
    """The way back."""
    if release.now is None:
        return f"delete the function in the dashboard, or with `supabase functions delete {release.slug}`"
    if release.back is None:
        return (
            "not from here: Supabase gives the present version only as it compiled it, and does not take that"
            " again; check out the commit it came from and deploy that"
        )
    return (
        f"deploy_function function={release.slug} restore={release.back} (kept on this machine before the"
        " deploy); what the new code wrote stays"
    )


def difference(release: Release) -> str:
    """What changes against what is deployed, as a unified diff of at most so many lines."""
    if release.bundle is None:
        return ""
    old = files_of(release.bundle)
    if not old:
        return "What is deployed cannot be compared: Supabase gave it compiled."
    lines: list[str] = []
    for file in release.sources.files:
        before = _same_file(file, old)
        if before is not None and before.content == file.content:
            continue
        lines += difflib.unified_diff(
            _lines(before), _lines(file), before.name if before else "(none)", file.name, lineterm="", n=2
        )
    if not lines:
        return "The files are those that are deployed."
    more = len(lines) - _DIFF_LINES
    return "\n".join([*lines[:_DIFF_LINES], *([f"... {more} more lines"] if more > 0 else [])])


def _same_file(file: SourceFile, others: tuple[SourceFile, ...]) -> SourceFile | None:
    fitting = [
        other
        for other in others
        if f"/{file.name}".endswith(f"/{other.name}") or f"/{other.name}".endswith(f"/{file.name}")
    ]
    return max(fitting, key=lambda other: len(other.name), default=None)


def _lines(file: SourceFile | None) -> list[str]:
    return file.content.decode("utf-8", errors="replace").splitlines() if file else []
