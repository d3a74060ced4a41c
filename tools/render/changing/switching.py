"""suspend, resume, autodeploy, purge_cache, cancel_deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import InvalidInput, SergeiError
from tools.planned import Look, Planned, call, request
from tools.render.changing.asked import ChangeService
from tools.render.changing.subject import Subject, is_off, under_way
from tools.render.describing import autodeploy_words, revision, serving
from tools.render.models import IN_PROGRESS, Deploy, Service
from tools.wording import counted

if TYPE_CHECKING:
    from tools.render.client import RenderClient
    from tools.resources import Resources

_SEEN = 20
_PATHS = {"postgres": "postgres", "key_value": "key-value"}
_WITHOUT = {
    "web_service": "its URL and domains answer with an error",
    "static_site": "its URL and domains answer with an error",
    "private_service": "every service that calls it gets no answer",
    "background_worker": "its queue is not worked off; what is in progress gets SIGTERM",
    "cron_job": "scheduled runs are left out, and not made up for later",
    "postgres": "connections are cut, and everything that reads or writes it fails",
    "key_value": "connections are cut; what it holds only in memory is lost",
}


async def plan_suspend(params: ChangeService, subject: Subject, resources: Resources) -> Planned:
    """Switch it off."""
    if subject.is_suspended:
        raise InvalidInput(f"{subject.name} is suspended already.")
    kind = _switchable(subject)
    domains = await _domains(resources.render, subject)
    without = _WITHOUT.get(subject.kind, "it does not run")
    return Planned(
        request=request("POST", f"/{_PATHS.get(kind, 'services')}/{subject.id}/suspend"),
        says=f"suspend {subject.name}",
        target=subject.label,
        touches=(subject.resource.label, *(f"domain {domain}" for domain in domains)),
        consequence=f"It is DOWN at once and until it is resumed: {without}.",
        undo=call("change_service", service=subject.name, action="resume"),
        send=lambda: _switch(resources.render, subject, on=False),
        look=lambda: _switched(resources.render, subject, on=False),
        destructive=True,
        evidence=await under_way(resources.render, subject),
    )


async def plan_resume(params: ChangeService, subject: Subject, resources: Resources) -> Planned:
    """Switch it on again."""
    kind, thing = _switchable(subject), subject.resource.thing
    if not subject.is_suspended:
        raise InvalidInput(f"{subject.name} is not suspended.")
    others = [by for by in getattr(thing, "suspenders", ()) if by != "user"]
    told = f"It is also suspended by {', '.join(others)}, which this does not lift." if others else ""
    how = (
        "Render deploys its last release again; it is up once that deploy is live."
        if kind == "service"
        else "It starts again, and connections are possible once it is available."
    )
    return Planned(
        request=request("POST", f"/{_PATHS.get(kind, 'services')}/{subject.id}/resume"),
        says=f"resume {subject.name}",
        target=subject.label,
        touches=(subject.resource.label,),
        consequence=" ".join(filter(None, (how, "It is billed again.", told))),
        undo=call("change_service", service=subject.name, action="suspend"),
        send=lambda: _switch(resources.render, subject, on=True),
        look=lambda: _switched(resources.render, subject, on=True),
    )


def _switchable(subject: Subject) -> str:
    if subject.resource.kind == "env_group":
        raise InvalidInput(f"{subject.resource.label} does not run, so it cannot be switched off or on.")
    return subject.resource.kind


async def _domains(render: RenderClient, subject: Subject) -> list[str]:
    if subject.kind not in {"web_service", "static_site"}:
        return []
    try:
        return [domain.name for domain in await render.list_custom_domains(subject.id)]
    except SergeiError:
        return []


async def _switch(render: RenderClient, subject: Subject, *, on: bool) -> None:
    match subject.resource.kind, on:
        case "postgres", True:
            await render.resume_postgres(subject.id)
        case "postgres", False:
            await render.suspend_postgres(subject.id)
        case "key_value", True:
            await render.resume_key_value(subject.id)
        case "key_value", False:
            await render.suspend_key_value(subject.id)
        case _, True:
            await render.resume_service(subject.id)
        case _:
            await render.suspend_service(subject.id)


async def _switched(render: RenderClient, subject: Subject, *, on: bool) -> Look:
    if subject.resource.kind == "postgres":
        now = await render.get_postgres(subject.id)
    elif subject.resource.kind == "key_value":
        now = await render.get_key_value(subject.id)
    else:
        now = await render.get_service(subject.id)
    off = is_off(now)
    words = "suspended" if off else "not suspended"
    if isinstance(now, Service):
        if off and now.suspenders:
            words += f" by {', '.join(now.suspenders)}"
        newest = (await render.list_deploys(now.id, most=1) or [None])[0] if on and not off else None
        words += f"; deploy {newest.id} is {newest.status}" if newest else ""
    return Look(off is not on, words)


async def plan_autodeploy(params: ChangeService, subject: Subject, resources: Resources) -> Planned:
    """Whether a push deploys it."""
    service, render, wanted = subject.service, resources.render, bool(params.enabled)
    if service.image_path and not service.repo:
        raise InvalidInput(f"{service.name} runs an image: there is no push that could deploy it.")
    if service.deploys_by_itself == wanted:
        raise InvalidInput(f"Autodeploy of {service.name} is {'on' if wanted else 'off'} already.")
    branch = service.branch or "its branch"
    effect = (
        f"Every push to {branch} is deployed without a person and without Sergei's checks."
        if wanted
        else f"A push to {branch} is no longer deployed: deploy_service or a person does that."
    )
    lost = (
        " It waited for checks to pass, and Render's API can only turn it on for every commit."
        if service.auto_deploy_trigger == "checksPass"
        else ""
    )

    async def look() -> Look:
        now = await render.get_service(service.id)
        return Look(now.deploys_by_itself == wanted, f"autodeploy {autodeploy_words(now)}")

    return Planned(
        request=request("PATCH", f"/services/{service.id}", {"autoDeploy": "yes" if wanted else "no"}),
        says=f"turn autodeploy of {service.name} {'on' if wanted else 'off'}",
        target=subject.label,
        touches=(f"autodeploy of {service.name}",),
        consequence=" ".join(filter(None, (effect, "Nothing is deployed by this.", subject.blueprint))),
        undo=call("change_service", service=service.name, action="autodeploy", enabled=not wanted) + lost,
        send=lambda: render.update_service(service.id, auto_deploy=wanted),
        look=look,
    )


async def plan_purge_cache(params: ChangeService, subject: Subject, resources: Resources) -> Planned:
    """Empty the edge cache."""
    service = subject.service
    if service.type != "web_service":
        raise InvalidInput(f"{service.name} is a {service.type}: only a web service's cache can be emptied.")

    async def look() -> Look:
        return Look(None, "Render does not show what is cached")

    return Planned(
        request=request("POST", f"/services/{service.id}/cache/purge"),
        says=f"empty the cache in front of {service.name}",
        target=subject.label,
        touches=(f"cached responses of {service.name}",),
        consequence="The next requests reach the service itself: more load until the cache is full again.",
        undo="none is needed: the cache fills itself",
        send=lambda: resources.render.purge_cache(service.id),
        look=look,
    )


async def plan_cancel_deploy(params: ChangeService, subject: Subject, resources: Resources) -> Planned:
    """Stop the deploy that is under way."""
    service, render = subject.service, resources.render
    if service.type == "cron_job":
        raise InvalidInput("Render cannot cancel the deploy of a cron job.")
    deploys = await render.list_deploys(service.id, most=_SEEN)
    deploy = _meant(params.deploy, service, deploys)
    queued = [each.id for each in deploys if each.status in IN_PROGRESS and each.id != deploy.id]
    keeps = serving(deploys)
    goes_on = f"{revision(keeps)} goes on serving" if keeps else "nothing was live before it"
    then = f" Next in the queue, and then started: {', '.join(queued)}." if queued else ""

    async def look() -> Look:
        now = await render.get_deploy(service.id, deploy.id)
        return Look(now.status == "canceled", f"deploy {now.id} is {now.status}")

    again = call("deploy_service", service=service.name, commit=deploy.commit.id if deploy.commit else None)
    return Planned(
        request=request("POST", f"/services/{service.id}/deploys/{deploy.id}/cancel"),
        says=f"cancel deploy {deploy.id} of {service.name} ({revision(deploy)})",
        target=subject.label,
        touches=(f"deploy {deploy.id}",),
        consequence=f"The deploy stops where it is; {goes_on}. What its pre-deploy command did already (a"
        f" migration) stays done.{then}",
        undo=f"it cannot be continued; {again} starts it anew",
        send=lambda: render.cancel_deploy(service.id, deploy.id),
        look=look,
        destructive=True,
        evidence=f"status {deploy.status}, started by {deploy.trigger or 'somebody'}"
        + (f"; {counted(len(queued), 'more deploy')} waiting" if queued else ""),
    )


def _meant(wanted: str | None, service: Service, deploys: list[Deploy]) -> Deploy:
    open_ones = [deploy for deploy in deploys if deploy.status in IN_PROGRESS]
    if wanted:
        found = next((deploy for deploy in deploys if deploy.id == wanted), None)
        if found is None:
            raise InvalidInput(f"{wanted} is none of the newest {len(deploys)} deploys of {service.name}.")
        if found not in open_ones:
            raise InvalidInput(f"{wanted} is over ({found.status}): there is nothing to cancel.")
        return found
    if not open_ones:
        raise InvalidInput(f"No deploy of {service.name} is under way.")
    if len(open_ones) > 1:
        listed = ", ".join(f"{deploy.id} ({deploy.status})" for deploy in open_ones)
        raise InvalidInput(f"More than one deploy is under way: {listed}.", hint="Name one as `deploy`.")
    return open_ones[0]
