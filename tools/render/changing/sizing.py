"""change_plan: another size, for a service, a Postgres database or a Key Value instance."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from tools.errors import InvalidInput, SergeiError
from tools.planned import Look, Planned, call, request
from tools.render.changing.asked import ChangeService
from tools.render.changing.cost import cost_words, memory, monthly, plan_id
from tools.render.changing.subject import Subject, under_way
from tools.render.models import Service
from tools.render.models_stores import KeyValue, Postgres
from tools.render.naming import Kind
from tools.wording import octets

if TYPE_CHECKING:
    from tools.render.client import RenderClient
    from tools.resources import Resources

_LOOKED_BACK: Final = timedelta(days=7)
_HALF_DAY: Final = timedelta(hours=12)
_UNITS: Final = {
    "b": 1,
    "bytes": 1,
    "kb": 1e3,
    "mb": 1e6,
    "gb": 1e9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_TIGHT: Final = 0.85


async def plan_change_plan(params: ChangeService, subject: Subject, resources: Resources) -> Planned:
    """Another plan."""
    kind, thing, render = subject.resource.kind, subject.resource.thing, resources.render
    if not isinstance(thing, Service | Postgres | KeyValue) or subject.kind == "static_site":
        raise InvalidInput(f"{subject.resource.label} has no plan.")
    old = thing.service_details.plan if isinstance(thing, Service) else thing.plan
    asked = params.plan or ""
    new = plan_id(kind, asked)
    if plan_id(kind, old) == new:
        raise InvalidInput(f"{subject.name} is on plan {old} already.")
    field = {"plan": asked}  # Render takes the old names and the new ids
    body = {"serviceDetails": field} if kind == "service" else field
    path = {"service": "services", "postgres": "postgres", "key_value": "key-value"}[kind]

    async def look() -> Look:
        return await _resized(render, subject, new)

    parts = [
        _effect(subject),
        _size_words(kind, old, new),
        _cost(subject, thing, old, new),
        subject.blueprint,
    ]
    return Planned(
        request=request("PATCH", f"/{path}/{subject.id}", body),
        says=f"change the plan of {subject.name} from {old or 'an unknown one'} to {new}",
        target=subject.label,
        touches=(f"plan of {subject.name}",),
        consequence=" ".join(filter(None, parts)),
        undo=call("change_service", service=subject.name, action="change_plan", plan=old or None)
        + (" (with the same interruption)" if _interrupts(subject) else ""),
        send=lambda: _send(render, subject, asked),
        look=look,
        destructive=_interrupts(subject) or _smaller(kind, old, new),
        evidence=" ".join(
            filter(None, (await under_way(render, subject), await _memory(resources, subject, new)))
        ),
    )


async def _send(render: RenderClient, subject: Subject, plan: str) -> None:
    if subject.resource.kind == "postgres":
        await render.update_postgres(subject.id, plan=plan)
    elif subject.resource.kind == "key_value":
        await render.update_key_value(subject.id, plan=plan)
    else:
        await render.update_service(subject.id, plan=plan)


async def _resized(render: RenderClient, subject: Subject, wanted: str) -> Look:
    kind = subject.resource.kind
    if kind == "postgres":
        store = await render.get_postgres(subject.id)
        return Look(plan_id(kind, store.plan) == wanted, f"plan {store.plan}, status {store.status}")
    if kind == "key_value":
        cache = await render.get_key_value(subject.id)
        return Look(plan_id(kind, cache.plan) == wanted, f"plan {cache.plan}, status {cache.status}")
    plan = (await render.get_service(subject.id)).service_details.plan
    newest = (await render.list_deploys(subject.id, most=1) or [None])[0]
    deploy = f"; newest deploy {newest.id} is {newest.status}" if newest else ""
    return Look(plan_id(kind, plan) == wanted, f"plan {plan}{deploy}")


def _interrupts(subject: Subject) -> bool:
    return subject.resource.kind != "service" or subject.has_disk


def _smaller(kind: Kind, old: str, new: str) -> bool:
    before, after = memory(kind, old), memory(kind, new)
    return before is not None and after is not None and after < before


def _effect(subject: Subject) -> str:
    if subject.kind == "postgres":
        return "The database is DOWN while it moves: connections are cut, open transactions fail."
    if subject.kind == "key_value":
        return "It is DOWN while it moves: connections are cut, and what it holds only in memory is lost."
    if subject.kind == "cron_job":
        return "The next run has the new size."
    if subject.has_disk:
        return "It is DOWN for a moment: with a disk the old instance stops before the new one starts."
    if subject.is_suspended:
        return "It is suspended: this shows once it is resumed."
    return "Render deploys the serving release on instances of the new size; no downtime if they come up."


def _size_words(kind: Kind, old: str, new: str) -> str:
    before, after = memory(kind, old), memory(kind, new)
    if before is None or after is None:
        return "The size of a plan is not known here: Render refuses a name that it does not know."
    return f"Memory: {octets(before)} before, {octets(after)} after."


def _cost(subject: Subject, thing: Service | Postgres | KeyValue, old: str, new: str) -> str:
    if subject.kind == "cron_job":
        return "Cost: by running time, not a month."
    kind, count = subject.resource.kind, 1
    if isinstance(thing, Service):
        scaling = thing.service_details.autoscaling
        count = scaling.min if scaling and scaling.enabled else thing.service_details.num_instances or 1
    prices = [monthly(kind, plan) for plan in (old, new)]
    return cost_words(*(None if price is None else price * count for price in prices))


async def _memory(resources: Resources, subject: Subject, new: str) -> str:
    """The peak of the last days against the new limit."""
    limit, now = memory(subject.resource.kind, new), resources.now()
    if limit is None or subject.kind == "cron_job":
        return ""
    try:
        hours = await _points(resources, subject, now - _LOOKED_BACK, now, 3600)
        if not hours:
            return "No figures of memory for the last 7 days."
        _, top = max(hours)
        minutes = await _points(resources, subject, top - _HALF_DAY, min(now, top + _HALF_DAY), 60)
    except SergeiError as error:
        return f"The peak of memory could not be read: {error.message}"
    peak, _ = max([*hours, *minutes])
    said = f"Peak of memory in 7 days: {octets(peak)}, {peak / limit:.0%} of the new plan."
    return said + (" TOO LITTLE ROOM: it may be killed for lack of memory." if peak / limit > _TIGHT else "")


async def _points(
    resources: Resources, subject: Subject, start: datetime, end: datetime, step: int
) -> list[tuple[float, datetime]]:
    """Bytes and times. Memory is averaged over a step: an hour hides its peak, a minute does not."""
    series = await resources.render.get_metric("memory", [subject.id], start=start, end=end, resolution=step)
    return [
        (point.value * _UNITS[each.unit.lower()], point.timestamp)
        for each in series
        if each.unit.lower() in _UNITS
        for point in each.values
        if point.value is not None and point.timestamp is not None
    ]
