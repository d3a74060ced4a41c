"""Runs of cron jobs: started now, followed for a while, stopped. Render lists them only as events."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from tools.errors import InvalidInput
from tools.planned import Look, Planned, call, request
from tools.render.changing.jobs import GONE, until
from tools.render.changing.subject import Subject
from tools.render.describing import reason_words
from tools.render.models import Service
from tools.render.models_observed import Event
from tools.wording import span

if TYPE_CHECKING:
    from tools.resources import Resources

_RECENT: Final = timedelta(hours=12)
"""Render ends a run of a cron job after twelve hours."""


async def plan_cron_run(resources: Resources, subject: Subject, wait: float) -> Planned:
    """A run of a cron job now."""
    service, render = subject.service, resources.render
    subject.awake("a run")
    known = await _runs(resources, service)
    running = [run for run, event in known.items() if event.type == "cron_job_run_started"]
    command = service.service_details.env_specific_details
    run: list[str] = []

    async def send() -> None:
        run.append((await render.run_cron_job(service.id)).id)

    async def look() -> Look:
        found = run[0] if run else await _new_run(resources, service, set(known))
        if found is None:
            return Look(False, "no new run began")
        return await _follow_run(resources, service, found, wait)

    schedule = f"{service.service_details.schedule or 'unknown'}, UTC"
    stops = f"The run under way ({', '.join(running)}) is STOPPED by this. " if running else ""
    return Planned(
        request=request("POST", f"/cron-jobs/{service.id}/runs"),
        says=f"run the cron job {service.name} now: {command.start_command or command.docker_command or '?'}",
        target=subject.label,
        touches=(f"whatever a run of {service.name} does",),
        consequence=f"{stops}A run outside of its schedule ({schedule}): what it does, such as sending"
        " messages, is done once more and not undone.",
        undo=f"{GONE}; {call('run_job', service=service.name, action='cancel')} stops the run",
        send=send,
        look=look,
        destructive=bool(running),
    )


async def _runs(resources: Resources, service: Service) -> dict[str, Event]:
    """The newest event of each run of the last hours."""
    kinds = ["cron_job_run_started", "cron_job_run_ended"]
    start = resources.now() - _RECENT
    events = await resources.render.list_events(service.id, kind=kinds, start=start)
    found: dict[str, Event] = {}
    for event in events:
        key = str(event.details.get("cronJobRunId") or "")
        if key and (key not in found or event.type == "cron_job_run_ended"):
            found[key] = event
    return found


async def _new_run(resources: Resources, service: Service, known: set[str]) -> str | None:
    """The run that a request whose answer was lost has begun."""
    return next((run for run in await _runs(resources, service) if run not in known), None)


async def _follow_run(resources: Resources, service: Service, run: str, wait: float) -> Look:
    began = resources.now()
    resources.progress(f"{run} is running")

    async def step() -> Look | None:
        event = (await _runs(resources, service)).get(run)
        if event is None or event.type != "cron_job_run_ended":
            return None
        return _run_over(run, event, began)

    found = await until(resources, wait, step)
    return found or Look(True, f"{run} is running; read_logs services=[{service.name}]", "Started")


def _run_over(run: str, event: Event, began: datetime) -> Look:
    took = f" after {span(event.timestamp - began)}" if event.timestamp and event.timestamp > began else ""
    why, status = reason_words(event.reason), str(event.details.get("status") or "ended")
    bad = bool(why) or status in {"unsuccessful", "failed"}
    head = "FAILED" if bad else "Canceled" if status == "canceled" else "Ran"
    return Look(True, f"{run} {status}{took}{f' ({why})' if why else ''}", head)


async def plan_cancel_run(resources: Resources, subject: Subject) -> Planned:
    """Stop the run under way."""
    service = subject.service
    if service.type != "cron_job":
        raise InvalidInput(f"{service.name} is no cron job: name the `job` to stop.")
    known = await _runs(resources, service)
    running = [run for run, event in known.items() if event.type == "cron_job_run_started"]
    if not running:
        raise InvalidInput(f"No run of {service.name} is under way.")

    async def look() -> Look:
        now = await _runs(resources, service)
        over = all(now[run].type == "cron_job_run_ended" for run in running if run in now)
        return Look(
            over or None, f"{', '.join(running)} {'is over' if over else 'is not reported as over yet'}"
        )

    return Planned(
        request=request("DELETE", f"/cron-jobs/{service.id}/runs"),
        says=f"stop the run under way of {service.name} ({', '.join(running)})",
        target=subject.label,
        touches=tuple(f"run {run}" for run in running),
        consequence="It stops where it is; what it did already stays done. The schedule goes on.",
        undo="it cannot be continued, only run anew",
        send=lambda: resources.render.cancel_cron_job_run(service.id),
        look=look,
        destructive=True,
    )
