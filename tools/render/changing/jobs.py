"""One-off jobs: started, followed for a while, stopped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tools.errors import InvalidInput, SergeiError
from tools.planned import Look, Planned, call, request
from tools.redaction import Redactor
from tools.render.changing.subject import Subject
from tools.render.describing import revision, serving
from tools.render.models import Job, Service
from tools.wording import span

if TYPE_CHECKING:
    from tools.resources import Resources

POLL: Final = 5.0
GONE: Final = "none: what it did to data stays done"
_SECRETS: Final = Redactor(strict=False)
_PERSONS: Final = Redactor(strict=True)


async def plan_job(resources: Resources, subject: Subject, command: str, wait: float) -> Planned:
    """A command, once. Raises InvalidInput for one that holds a secret, or nothing that could run it."""
    service, render = subject.service, resources.render
    if service.type == "static_site":
        raise InvalidInput(f"{service.name} is a static site: it has no code that could run a job.")
    subject.awake("a job")
    if _SECRETS.text(command) != command:
        said = "The command holds what looks like a secret: Render would keep and show it."
        raise InvalidInput(said, hint="Let it read a variable of the service (change_env_var sets one).")
    before = await render.list_jobs(service.id)
    release = serving(await render.list_deploys(service.id))
    same = [job.id for job in before if job.start_command == command and not job.is_over]
    warned = "It seems to hold a person's value, which Render keeps. " * (_PERSONS.text(command) != command)
    made, known = list[Job](), {job.id for job in before}

    async def send() -> None:
        made.append(await render.create_job(service.id, command))

    async def look() -> Look:
        job = made[0] if made else await _new_job(resources, service, command, known)
        if job is None:
            return Look(False, "no such job is there")
        return await _follow_job(resources, service, job, wait)

    return Planned(
        request=request("POST", f"/services/{service.id}/jobs", {"startCommand": command}),
        says=f"run once, as a job of {service.name}: {command}",
        target=subject.label,
        touches=(f"whatever this command reaches with the variables of {service.name}",),
        consequence=f"{warned}It runs in an instance of its own, with the release"
        f" {revision(release) or 'unknown'} and ALL variables of {service.name}: its databases and keys too."
        " What it does is not undone. It is billed by the second.",
        undo=f"{GONE}; {call('run_job', service=service.name, action='cancel', job='JOB')} stops it",
        send=send,
        look=look,
        destructive=True,
        evidence=f"The same command is running already: {', '.join(same)}." if same else "",
    )


async def _new_job(resources: Resources, service: Service, command: str, known: set[str]) -> Job | None:
    """The job that a request whose answer was lost has made."""
    jobs = await resources.render.list_jobs(service.id)
    return next((job for job in jobs if job.id not in known and job.start_command == command), None)


async def _follow_job(resources: Resources, service: Service, job: Job, wait: float) -> Look:
    async def step() -> Look | None:
        nonlocal job
        before = job.status
        job = await resources.render.get_job(service.id, job.id)
        if job.status != before:
            resources.progress(f"{job.id} is {job.status or 'of unknown status'}")
        return _job_over(service, job) if job.is_over else None

    logs = f"read_logs services=[{service.name}] job={job.id}"
    found = await until(resources, wait, step)
    return found or Look(True, f"{job.id} is {job.status or 'pending'}; {logs}", "Started")


def _job_over(service: Service, job: Job) -> Look:
    took = ""
    if job.started_at and job.finished_at:
        took = f" after {span(job.finished_at - job.started_at)}"
    heads = {"succeeded": "Succeeded", "failed": "FAILED", "canceled": "Canceled"}
    logs = f"read_logs services=[{service.name}] job={job.id}"
    return Look(True, f"{job.id} {job.status}{took}; {logs}", heads.get(job.status, ""))


async def plan_cancel_job(resources: Resources, subject: Subject, job: str) -> Planned:
    """Stop a one-off job."""
    service, render = subject.service, resources.render
    found = await render.get_job(service.id, job)
    if found.is_over:
        raise InvalidInput(f"{job} is over ({found.status}): there is nothing to stop.")

    async def look() -> Look:
        now = await render.get_job(service.id, job)
        return Look(now.status == "canceled", f"{job} is {now.status}")

    return Planned(
        request=request("POST", f"/services/{service.id}/jobs/{job}/cancel"),
        says=f"stop the job {job} of {service.name}: {found.start_command}",
        target=subject.label,
        touches=(f"job {job}",),
        consequence="It stops where it is; what it did already stays done.",
        undo="it cannot be continued, only run anew",
        send=lambda: render.cancel_job(service.id, job),
        look=look,
        destructive=True,
    )


async def until(resources: Resources, wait: float, step: Callable[[], Awaitable[Look | None]]) -> Look | None:
    """The first answer within so many seconds; a look that fails is tried again."""
    end = resources.now() + timedelta(seconds=wait)
    while True:
        try:
            if (found := await step()) is not None:
                return found
        except SergeiError as error:
            resources.progress(f"could not be read: {error.message}")
        if resources.now() >= end:
            return None
        await resources.pause(POLL)
