"""rollback_service: back to an earlier release, and proof that it helped."""

from __future__ import annotations

from pydantic import Field

from tools.registry import Effect, Params, Preview, digest, tool
from tools.render.deploying.outcome import RolledBack
from tools.render.deploying.preflight import check_blueprint
from tools.render.deploying.returning import Return, go_back, plan_return
from tools.render.deploying.target import revision_of
from tools.render.deploying.undoing import not_undone
from tools.resources import Resources


class RollbackService(Params):
    """Arguments of rollback_service."""

    service: str = Field(description="Name or id of the service.")
    deploy: str | None = Field(
        default=None,
        description="Id (dep-...) of the release to go back to; default: the one before the present one.",
    )
    verify_minutes: float = Field(default=4, ge=2, le=60, description="How long it is watched afterwards.")


async def preview_rollback_service(params: RollbackService, resources: Resources) -> Preview:
    """Which release, and what does not come back with it. Raises what plan_return raises."""
    planned = await plan_return(resources, params.service, params.deploy)
    resources.pinned[digest("rollback_service", params)] = planned
    service, serving = planned.target.service, planned.target.serving
    stays = "; ".join(not_undone(service))
    if planned.resumed is not None:
        action = f"Go on with the rollback of {service.name} to {planned.to.id}: none is begun again."
    else:
        action = (
            f"1. Turn autodeploy of {service.name} off.\n"
            f"2. Roll back {service.name} to {planned.to.id} ({revision_of(planned.to)})."
        )
    present = f"{serving.id} ({revision_of(serving)})" if serving is not None else "nothing"
    blueprint = await check_blueprint(resources, service)
    resets = f" Warning: {blueprint.said}." if blueprint.level == "warning" else ""
    return Preview(
        action=f"{action}\nThen follow it, check its health, and watch {params.verify_minutes:g} minutes.",
        target=planned.target.label,
        touches=(f"service {service.name}", f"autodeploy of service {service.name}"),
        consequence=(
            f"It takes the place of {present}. Autodeploy stays off until a person turns it on."
            f"{resets} Not undone: {stays}. What came of it is written to the memory bank."
        ),
        undo=f"Deploy the newer commit again ({present}) with deploy_service, and turn autodeploy on.",
        destructive=service.service_details.disk is not None,
    )


@tool(Effect.WRITE, preview=preview_rollback_service, open_world=True)
async def rollback_service(params: RollbackService, resources: Resources) -> RolledBack:
    """Roll one service on Render back to an earlier release, and verify that it is well again.

    Turns autodeploy off first (Render's API does not): the next push would bring the bad release back. Only
    for a release that is live and bad: after a failed build or update the old one still serves. It does not
    undo migrations, environment groups or disks.
    """
    planned = resources.pinned.pop(digest("rollback_service", params), None)
    if not isinstance(planned, Return):
        planned = await plan_return(resources, params.service, params.deploy)
    return await go_back(resources, planned, params.verify_minutes)
