"""run_job: a command once, or a cron job now, followed until it ends."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.errors import InvalidInput
from tools.planned import ChangeDone, Planned, carry_out, show
from tools.registry import Effect, Params, Preview, tool
from tools.render.changing.cron_runs import plan_cancel_run, plan_cron_run
from tools.render.changing.jobs import plan_cancel_job, plan_job
from tools.render.changing.subject import read_subject
from tools.resources import Resources


class RunJob(Params):
    """Arguments of run_job."""

    service: str = Field(description="Name or id of the service or cron job.")
    command: str = Field(
        default="",
        max_length=2000,
        description="What to run once, with the service's code and variables. Empty: the cron job's own.",
    )
    wait_seconds: int = Field(default=120, ge=0, le=3600, description="How long its end is waited for.")
    action: Literal["run", "cancel"] = "run"
    job: str | None = Field(
        default=None, pattern=r"^job-[a-z0-9]{6,40}$", description="cancel: the job to stop; cron job: none."
    )


async def _plan(params: RunJob, resources: Resources) -> Planned:
    subject = await read_subject(resources.render, params.service)
    if params.action == "cancel":
        if params.command:
            raise InvalidInput("cancel takes no `command`.")
        if params.job:
            return await plan_cancel_job(resources, subject, params.job)
        return await plan_cancel_run(resources, subject)
    if params.job:
        raise InvalidInput("`job` names the one to stop: give it with action cancel.")
    if params.command.strip():
        return await plan_job(resources, subject, params.command, params.wait_seconds)
    if subject.kind != "cron_job":
        raise InvalidInput(f"{subject.name} is no cron job: a one-off job needs a `command`.")
    return await plan_cron_run(resources, subject, params.wait_seconds)


async def preview_run_job(params: RunJob, resources: Resources) -> Preview:
    """The command as it will run, with which release and whose variables."""
    return show(await _plan(params, resources), "run_job", params, resources)


@tool(Effect.WRITE, preview=preview_run_job, open_world=True)
async def run_job(params: RunJob, resources: Resources) -> ChangeDone:
    """Run a command once as a job of a Render service, or run a cron job now, after a yes.

    It is followed until it ends or `wait_seconds` are over; read_logs has its log. action=cancel stops one.
    A job has all rights of the service: not for SQL (change_sql), and no secret in `command`.
    """
    return await carry_out(await _plan(params, resources), "run_job", params, resources)
