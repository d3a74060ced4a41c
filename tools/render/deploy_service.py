"""deploy_service: a pinned commit, watched until it is known to be good, or taken back."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.registry import Effect, Params, Preview, digest, tool
from tools.render.deploying.health import address_of
from tools.render.deploying.outcome import Deployed
from tools.render.deploying.plan import Plan, make_plan
from tools.render.deploying.releasing import Wanted, release
from tools.resources import Resources


class DeployService(Params):
    """Arguments of deploy_service."""

    service: str = Field(description="Name or id of the service.")
    commit: str | None = Field(
        default=None,
        description="Id of the commit; default: the newest of its branch, which the person is shown.",
    )
    image: str | None = Field(
        default=None, description="For a service that runs an image: reference, best a digest."
    )
    clear_cache: bool = Field(default=False, description="Build without the build cache.")
    bake_minutes: float = Field(
        default=6, ge=2, le=60, description="How long it is watched once live, against the 15 minutes before."
    )
    health_passes: int = Field(
        default=5, ge=1, le=30, description="Health checks from outside that must pass."
    )
    rollback_on_regression: bool = Field(
        default=False, description="Approve one rollback beforehand: autodeploy off, then back, if it is bad."
    )
    despite: list[Literal["migrations", "environment"]] = Field(
        default_factory=list[Literal["migrations", "environment"]],
        description="Stops of the preflight that a person decided to overrule.",
    )


async def preview_deploy_service(params: DeployService, resources: Resources) -> Preview:
    """The commit, the checks, and what happens if it is bad. Raises Refused or Conflict instead."""
    plan = await _plan(params, resources)
    resources.pinned[digest("deploy_service", params)] = plan
    service = plan.target.service
    stops = [check for check in plan.checks if check.level == "stop"]
    touches = [f"service {service.name}"]
    touches += [f"autodeploy of service {service.name}"] if _takes_back(params, plan) else []
    return Preview(
        action="\n".join(_actions(params, plan)),
        target=plan.target.label,
        touches=tuple(touches),
        consequence=" ".join(_consequences(plan)),
        undo=_undo(plan),
        evidence="\n".join(check.line for check in plan.checks),
        destructive=bool(stops) or service.service_details.disk is not None,
    )


def _takes_back(params: DeployService, plan: Plan) -> bool:
    """Whether a bad release is taken back without asking again; Render cannot roll back cron jobs."""
    return params.rollback_on_regression and bool(plan.previous) and plan.target.service.type != "cron_job"


def _actions(params: DeployService, plan: Plan) -> list[str]:
    service = plan.target.service
    if plan.deploy is not None:
        first = (
            f"Go on with {plan.deploy.id} of {service.name} ({plan.revision.words}); nothing new is deployed."
        )
    else:
        cache = ", build cache cleared" if params.clear_cache else ""
        first = f"Deploy {plan.revision.words} to {service.name}{cache}."
    url = address_of(service)
    health = f"{params.health_passes} health checks of {url}, then " if url else ""
    then = f"Once live: {health}{params.bake_minutes:g} minutes against the 15 minutes before."
    if service.type == "cron_job":
        then = "Its next run is not waited for: the answer is that nobody knows yet whether it is good."
    if _takes_back(params, plan):
        bad = (
            f"If it is worse: turn autodeploy of {service.name} off and roll back to {plan.previous_words},"
            " once, without asking again."
        )
    else:
        bad = "If it is worse: nothing by itself; a rollback is proposed."
    return [first, then, bad]


def _consequences(plan: Plan) -> list[str]:
    said: list[str] = []
    if plan.resumed is None:
        said.append(f"It takes the place of {plan.previous_words}." if plan.previous else "")
    if plan.lost:
        said.append(
            f"A REQUEST OF {plan.lost} GOT NO ANSWER, and no deploy of it can be seen: this sends a new one."
        )
    said += [f"OVERRULED: {check.said}." for check in plan.checks if check.level == "stop"]
    said += [f"Warning: {check.said}." for check in plan.checks if check.level == "warning"]
    said.append("What came of it is written to the memory bank.")
    return [text for text in said if text]


def _undo(plan: Plan) -> str:
    if not plan.previous:
        return "None: nothing served before."
    name = plan.target.service.name
    return (
        f"rollback_service on {name} to {plan.previous_words}. Migrations, environment groups and disks stay."
    )


async def _plan(params: DeployService, resources: Resources) -> Plan:
    return await make_plan(
        resources, params.service, commit=params.commit, image=params.image, despite=params.despite
    )


@tool(Effect.WRITE, preview=preview_deploy_service, open_world=True)
async def deploy_service(params: DeployService, resources: Resources) -> Deployed:
    """Deploy one service on Render and watch it until it is known to be good, or why it is not.

    Preflight (suspended, deploy running, health path, disk, blueprint, migrations, variables, memory), a
    pinned commit, build and runtime log, health checks, a bake against the figures of before; too little
    traffic is inconclusive. Takes 5 to 20 minutes. A failed build needs no rollback: the old release serves.
    After an interruption call it again with the same arguments: it goes on and does not deploy twice.
    """
    plan = resources.pinned.pop(digest("deploy_service", params), None)
    if not isinstance(plan, Plan):
        plan = await _plan(params, resources)
    wanted = Wanted(
        passes=params.health_passes,
        minutes=params.bake_minutes,
        roll_back=params.rollback_on_regression,
        clear_cache=params.clear_cache,
        despite=tuple(params.despite),
    )
    return await release(resources, plan, wanted)
