"""change_service: one change to how something runs, asked with target, effect and undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from tools.planned import ChangeDone, Planned, carry_out, show
from tools.registry import Effect, Preview, tool
from tools.render.changing.asked import Action, ChangeService
from tools.render.changing.maintaining import plan_maintenance
from tools.render.changing.scaling import plan_autoscaling, plan_restart, plan_scale
from tools.render.changing.sizing import plan_change_plan
from tools.render.changing.subject import Subject, read_subject
from tools.render.changing.switching import (
    plan_autodeploy,
    plan_cancel_deploy,
    plan_purge_cache,
    plan_resume,
    plan_suspend,
)
from tools.resources import Resources

Planner = Callable[[ChangeService, Subject, Resources], Awaitable[Planned]]
PLANNERS: Final[Mapping[Action, Planner]] = {
    "restart": plan_restart,
    "scale": plan_scale,
    "autoscaling": plan_autoscaling,
    "suspend": plan_suspend,
    "resume": plan_resume,
    "cancel_deploy": plan_cancel_deploy,
    "change_plan": plan_change_plan,
    "autodeploy": plan_autodeploy,
    "maintenance": plan_maintenance,
    "purge_cache": plan_purge_cache,
}


async def _plan(params: ChangeService, resources: Resources) -> Planned:
    """Made from the present state. Raises InvalidInput for what would do nothing."""
    subject = await read_subject(resources.render, params.service)
    return await PLANNERS[params.action](params, subject, resources)


async def preview_change_service(params: ChangeService, resources: Resources) -> Preview:
    """The request as it will be sent, what it does to whom, and the way back."""
    return show(await _plan(params, resources), "change_service", params, resources)


@tool(Effect.WRITE, preview=preview_change_service, open_world=True)
async def change_service(params: ChangeService, resources: Resources) -> ChangeDone:
    """Change how a service runs on Render: scale, restart, suspend, plan and the like, after a yes.

    One action a call: restart, scale, autoscaling, suspend, resume, cancel_deploy, change_plan, autodeploy,
    maintenance (of a database: start or move the planned run), purge_cache. Afterwards it is looked at, and
    said what is so now. Not for new code (deploy_service, rollback_service) nor variables (change_env_var).
    """
    return await carry_out(await _plan(params, resources), "change_service", params, resources)
