"""restart, scale, autoscaling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tools.errors import InvalidInput
from tools.planned import Look, Planned, call, request
from tools.render.changing.asked import ChangeService
from tools.render.changing.cost import cost_words, monthly
from tools.render.changing.subject import Subject, under_way
from tools.render.describing import scale_words
from tools.render.models import Autoscaling, Service
from tools.wording import counted

if TYPE_CHECKING:
    from tools.resources import Resources

_LOOKS: Final = 4
_LOOK_SECONDS: Final = 2.0


async def plan_restart(params: ChangeService, subject: Subject, resources: Resources) -> Planned:
    """New instances of the release that serves; a database's connections are cut."""
    subject.awake("restart")
    if subject.kind == "postgres":
        return _restart_postgres(subject, resources)
    if subject.kind == "key_value":
        raise InvalidInput("Render's API has no restart for Key Value.", hint="suspend and resume exist.")
    service, render = subject.instanced("restart"), resources.render
    before = await _restarts(resources, service)
    down = subject.has_disk
    how = "It is DOWN for a moment: with a disk the old instance stops first." if down else (
        "New instances of the same release replace the old ones, which then get SIGTERM and"
        f" {service.service_details.max_shutdown_delay_seconds or 30} s to finish; no downtime."
    )  # fmt: skip

    async def look() -> Look:
        return await _restarted(resources, service, before)

    return Planned(
        request=request("POST", f"/services/{service.id}/restart"),
        says=f"restart {service.name}",
        target=subject.label,
        touches=(f"instances of {service.name}",),
        consequence=f"{how} What is only in memory is lost. The release and its settings stay the same.",
        undo="none is needed: the same release runs",
        send=lambda: render.restart_service(service.id),
        look=look,
        destructive=down,
        evidence=await under_way(render, subject),
    )


async def _restarts(resources: Resources, service: Service) -> set[str]:
    return {
        each.id for each in await resources.render.list_events(service.id, kind="server_restarted", most=20)
    }


async def _restarted(resources: Resources, service: Service, before: set[str]) -> Look:
    """Whether a restart is on record that was not there before; Render writes it a moment later."""
    for _ in range(_LOOKS):
        if await _restarts(resources, service) - before:
            running = len(await resources.render.list_instances(service.id))
            return Look(True, f"restarted; {counted(running, 'instance')} running or starting")
        await resources.pause(_LOOK_SECONDS)
    return Look(None, "no restart is on record yet")


def _restart_postgres(subject: Subject, resources: Resources) -> Planned:
    async def look() -> Look:
        now = await resources.render.get_postgres(subject.id)
        return Look(None, f"status {now.status or 'unknown'}")

    return Planned(
        request=request("POST", f"/postgres/{subject.id}/restart"),
        says=f"restart the Postgres database {subject.name}",
        target=subject.label,
        touches=(f"every connection to {subject.name}",),
        consequence="The database is DOWN until it is up again: connections are cut, open transactions fail.",
        undo="none is needed: committed data stays",
        send=lambda: resources.render.restart_postgres(subject.id),
        look=look,
        destructive=True,
    )


async def plan_scale(params: ChangeService, subject: Subject, resources: Resources) -> Planned:
    """Another number of instances. Raises InvalidInput where Render would accept it and do nothing."""
    service, render, wanted = subject.instanced("scale"), resources.render, params.instances or 1
    details = service.service_details
    if details.autoscaling and details.autoscaling.enabled:
        raise InvalidInput(
            f"Autoscaling of {service.name} is on ({scale_words(service)}): Render would accept the number"
            " and ignore it.",
            hint="Change its bounds (action autoscaling, lowest, highest) or turn it off (enabled=false).",
        )
    if subject.has_disk and wanted > 1:
        raise InvalidInput(f"{service.name} has a disk, and with a disk Render runs one instance only.")
    before = details.num_instances
    if before == wanted:
        raise InvalidInput(f"{service.name} has {counted(wanted, 'instance')} already.")

    async def look() -> Look:
        now = (await render.get_service(service.id)).service_details.num_instances
        running = len(await render.list_instances(service.id))
        return Look(now == wanted, f"set to {counted(now or 0, 'instance')}, {running} running")

    fewer = before is not None and wanted < before
    price = monthly("service", details.plan)
    cost = cost_words(*(None if price is None or n is None else price * n for n in (before, wanted)))
    effect = (
        f"{before - wanted if before else 0} of {before} instances get SIGTERM and"
        f" {details.max_shutdown_delay_seconds or 30} s to finish; the rest must carry the load."
        if fewer
        else "No downtime: instances are added beside the present ones. Each opens its own connections."
    )
    asleep = "It is suspended: this shows once it is resumed." if service.is_suspended else ""
    return Planned(
        request=request("POST", f"/services/{service.id}/scale", {"numInstances": wanted}),
        says=f"scale {service.name} from {before if before is not None else 'an unknown number of'} to"
        f" {counted(wanted, 'instance')}",
        target=subject.label,
        touches=(f"number of instances of {service.name}",),
        consequence=" ".join(filter(None, (effect, asleep, cost, subject.blueprint))),
        undo="the former number is not known"
        if before is None
        else call("change_service", service=service.name, action="scale", instances=before),
        send=lambda: render.scale_service(service.id, wanted),
        look=look,
    )


async def plan_autoscaling(params: ChangeService, subject: Subject, resources: Resources) -> Planned:
    """Other bounds or targets, on or off; what is not given stays as it is."""
    service, render = subject.instanced("autoscaling"), resources.render
    if subject.has_disk:
        raise InvalidInput(f"{service.name} has a disk, and with a disk Render runs one instance only.")
    old = service.service_details.autoscaling
    new = _merged(params, old, service.service_details.num_instances)
    if old is not None and _same(old, new):
        raise InvalidInput(f"Autoscaling of {service.name} is so already: {_words(new)}.")
    cpu, memory = _target(new, "cpu"), _target(new, "memory")
    running = len(await render.list_instances(service.id))
    told = (_effect(service, new), _cost(service, old, new), subject.blueprint)

    async def look() -> Look:
        now = await render.get_service(service.id)
        found = now.service_details.autoscaling
        said = _words(found) if found else "off"
        return Look(found is not None and _same(found, new), f"autoscaling {said}")

    return Planned(
        request=request("PUT", f"/services/{service.id}/autoscaling", _body(new)),
        says=f"autoscaling of {service.name} from {_words(old) if old else 'off'} to {_words(new)}",
        target=subject.label,
        touches=(f"number of instances of {service.name}",),
        consequence=" ".join(filter(None, told)),
        undo=_back(service, old),
        send=lambda: render.set_autoscaling(
            service.id, lowest=new.min, highest=new.max, cpu=cpu, memory=memory, enabled=new.enabled
        ),
        look=look,
        evidence=f"{counted(running, 'instance')} running now",
    )


def _merged(params: ChangeService, old: Autoscaling | None, instances: int | None) -> Autoscaling:
    enabled = True if params.enabled is None else params.enabled
    lowest = params.lowest or (old.min if old else instances or 1)
    highest = params.highest or (old.max if old else lowest)
    if highest < lowest:
        raise InvalidInput(f"`highest` ({highest}) is below `lowest` ({lowest}).")
    criteria: dict[str, Any] = {}
    for name, asked in (("cpu", params.cpu), ("memory", params.memory)):
        kept = _target(old, name) if old else None
        target = kept if asked is None else asked or None
        criteria[name] = {"enabled": target is not None, "percentage": target or 70}
    if enabled and not any(each["enabled"] for each in criteria.values()):
        raise InvalidInput("Autoscaling needs a target: `cpu`, `memory` or both, in percent.")
    return Autoscaling.model_validate(
        {"enabled": enabled, "min": lowest, "max": highest, "criteria": criteria}
    )


def _target(scaling: Autoscaling, name: str) -> int | None:
    found = scaling.criteria.cpu if name == "cpu" else scaling.criteria.memory
    return found.percentage if found.enabled else None


def _same(one: Autoscaling, other: Autoscaling) -> bool:
    return _body(one) == _body(other) if one.enabled else one.enabled == other.enabled


def _body(scaling: Autoscaling) -> dict[str, Any]:
    """As the client sends it."""
    criteria = {
        name: {"enabled": _target(scaling, name) is not None, "percentage": _target(scaling, name) or 70}
        for name in ("cpu", "memory")
    }
    return {"enabled": scaling.enabled, "min": scaling.min, "max": scaling.max, "criteria": criteria}


def _words(scaling: Autoscaling) -> str:
    if not scaling.enabled:
        return "off"
    aims = [f"{name} {_target(scaling, name)} %" for name in ("cpu", "memory") if _target(scaling, name)]
    return f"{scaling.min} to {scaling.max} instances by {' and '.join(aims)}"


def _effect(service: Service, new: Autoscaling) -> str:
    if new.enabled:
        said = f"Render keeps {new.min} to {new.max} instances; the set number is not in force meanwhile."
        return said + (" With one instance a crash is downtime." if new.min == 1 else "")
    count = service.service_details.num_instances
    return (
        f"It goes on with the set number, {counted(count, 'instance') if count else 'which is not known'},"
        " however many run now and whatever the load."
    )


def _cost(service: Service, old: Autoscaling | None, new: Autoscaling) -> str:
    price, count = monthly("service", service.service_details.plan), service.service_details.num_instances
    if price is None:
        return cost_words(None, None)

    def span(scaling: Autoscaling | None) -> str:
        if scaling is None or not scaling.enabled:
            return f"${price * count:,.0f}" if count else "unknown"
        return f"${price * scaling.min:,.0f} to ${price * scaling.max:,.0f}"

    return f"Cost a month: {span(old)} before, {span(new)} after (compute, list prices)."


def _back(service: Service, old: Autoscaling | None) -> str:
    if old is None or not old.enabled:
        return call("change_service", service=service.name, action="autoscaling", enabled=False)
    return call(
        "change_service", service=service.name, action="autoscaling", enabled=True, lowest=old.min,
        highest=old.max, cpu=_target(old, "cpu") or 0, memory=_target(old, "memory") or 0,
    )  # fmt: skip
