"""deploy_function: an Edge Function from the workspace, or a version of it that was kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from pydantic import Field

from tools.errors import InvalidInput, SergeiError
from tools.planned import ChangeDone, Look, Planned, carry_out, show
from tools.registry import Effect, Params, Preview, tool
from tools.resources import Resources
from tools.supabase.deploying.kept import keep
from tools.supabase.deploying.plan import (
    Release,
    consequences,
    difference,
    listed,
    read_release,
    undo,
)
from tools.supabase.deploying.watching import watch


class DeployFunction(Params):
    """Arguments of deploy_function."""

    function: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,99}$", description="Its name: the folder below supabase/functions."
    )
    restore: str | None = Field(
        default=None,
        description="Roll back: deploy this kept version (v12-1a2b3c4d) instead of the workspace.",
    )
    watch_minutes: int = Field(
        default=3, ge=0, le=30, description="How long its calls and errors are watched after the deploy."
    )


async def _plan(params: DeployFunction, resources: Resources) -> Planned:
    release = await read_release(resources, params.function, params.restore)
    if params.restore and params.restore == release.back:
        raise InvalidInput(f"{params.restore} is what is deployed.")
    sent: list[datetime] = []

    async def send() -> None:
        if release.now is not None and release.bundle is not None:
            keep(release.place, release.project, release.now, release.bundle, resources.now())
        sent.append(resources.now())
        await _deploy(resources, release)

    async def look() -> Look:
        return await _look(resources, release, sent[0] if sent else resources.now(), params.watch_minutes)

    version = release.now.version if release.now else None
    number = f", version {version} now" if version else ", which is new"
    return Planned(
        request=_request(release),
        says=f"deploy the Edge Function {release.slug}{number}, from {release.origin}",
        target=await _target(resources, release),
        touches=(f"Edge Function {release.slug}",),
        consequence=" ".join(consequences(release)),
        undo=undo(release),
        send=send,
        look=look,
        destructive=release.opens or (release.now is not None and release.back is None),
        evidence=await _rehearsed(resources, release) if resources.dry_runs else "",
    )


def _request(release: Release) -> str:
    about = {
        "entrypoint_path": release.sources.entrypoint,
        "import_map_path": release.sources.import_map,
        "verify_jwt": release.verify_jwt,
    }
    metadata = json.dumps({name: value for name, value in about.items() if value is not None})
    head = f"POST /v1/projects/{release.project}/functions/deploy?slug={release.slug} {metadata}"
    return "\n".join([head, *listed(release)])


async def _target(resources: Resources, release: Release) -> str:
    project = await resources.supabase.get_project()
    where = ", ".join(filter(None, (project.region, f"organization {project.organization_slug}")))
    url = f"https://{release.project}.supabase.co/functions/v1/{release.slug}"
    return f"{release.slug} in {project.name or 'project'} ({release.project}), {where}, {url}"


async def _deploy(resources: Resources, release: Release, *, bundle_only: bool = False) -> None:
    await resources.supabase.deploy_function(
        release.slug,
        release.sources.files,
        entrypoint=release.sources.entrypoint,
        import_map=release.sources.import_map,
        verify_jwt=release.verify_jwt,
        bundle_only=bundle_only,
    )


async def _rehearsed(resources: Resources, release: Release) -> str:
    """Bundled by Supabase without a deploy. Raises InvalidInput where it does not bundle."""
    try:
        await _deploy(resources, release, bundle_only=True)
        said = "Supabase bundled it in a dry run without a deploy."
    except InvalidInput as error:
        raise InvalidInput(f"{release.slug} does not bundle, so nobody was asked: {error.message}") from None
    except SergeiError as error:
        said = f"The dry run could not be made: {error.message}"
    return f"{said}\n{difference(release)}".rstrip()


async def _look(resources: Resources, release: Release, sent: datetime, minutes: int) -> Look:
    now = await resources.supabase.get_function(release.slug)
    before = release.now
    if before is not None and (now.version, now.updated_at) == (before.version, before.updated_at):
        return Look(False, f"version {now.version} is still the one deployed")
    said = f"version {now.version}, {now.status}, verify_jwt {'on' if now.verify_jwt else 'OFF'}"
    if minutes == 0:
        return Look(True, f"{said}; not watched")
    verdict, words = await watch(resources, now.id, sent, minutes)
    heads = {
        "fine": "Done and watched",
        "worse": "Deployed, and WORSE",
        "inconclusive": "Deployed, inconclusive",
    }
    then = " Take it back with the undo below." if verdict == "worse" else ""
    return Look(True, f"{said}. {words}.{then}", heads[verdict])


async def preview_deploy_function(params: DeployFunction, resources: Resources) -> Preview:
    """The files with their digests, what changes, whether it bundles, and the way back."""
    return show(await _plan(params, resources), "deploy_function", params, resources)


@tool(Effect.WRITE, preview=preview_deploy_function, open_world=True)
async def deploy_function(params: DeployFunction, resources: Resources) -> ChangeDone:
    """Deploy a Supabase Edge Function from the workspace's supabase/functions folder, after a yes.

    It is bundled in a dry run before anybody is asked; the version that it replaces is kept, and `restore`
    deploys that again. Afterwards calls, 5xx and failed starts are held against those before. Not for Render.
    """
    planned = await _plan(params, replace(resources, dry_runs=False))  # it was bundled for the preview
    return await carry_out(planned, "deploy_function", params, resources)
