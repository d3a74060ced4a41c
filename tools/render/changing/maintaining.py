"""maintenance: start a planned run now, or move it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tools.errors import InvalidInput
from tools.http.transport import as_text
from tools.planned import Look, Planned, call, request
from tools.render.changing.asked import ChangeService
from tools.render.changing.subject import Subject
from tools.render.models_workspace import Maintenance
from tools.wording import stamp

if TYPE_CHECKING:
    from tools.render.client import RenderClient
    from tools.resources import Resources

_PLANNED: Final = frozenset({"scheduled", "user_fix_required", "pending"})


async def plan_maintenance(params: ChangeService, subject: Subject, resources: Resources) -> Planned:
    """The planned run of a database or Key Value instance: now, or at another time."""
    render, now = resources.render, resources.now()
    if subject.resource.kind not in {"postgres", "key_value"}:
        raise InvalidInput("Render maintains databases and Key Value instances, not services.")
    runs = await render.list_maintenance(resource=subject.id)
    run = next((each for each in runs if each.resource_id == subject.id and each.state in _PLANNED), None)
    if run is None:
        raise InvalidInput(f"No maintenance of {subject.name} is planned.")
    said = f"{run.type or 'maintenance'} of {subject.name}"
    when = stamp(run.scheduled_at) or "an unknown time"
    latest = f" Render does it by {stamp(run.pending_maintenance_by)} UTC in any case." if (
        run.pending_maintenance_by
    ) else ""  # fmt: skip
    if params.at is None:
        return Planned(
            request=request("POST", f"/maintenance/{run.id}/trigger"),
            says=f"start the {said} now instead of at {when} UTC",
            target=subject.label,
            touches=(subject.resource.label, f"maintenance {run.id}"),
            consequence="It is DOWN while it is maintained: connections are cut, open transactions fail.",
            undo="none: what is begun runs to its end",
            send=lambda: render.trigger_maintenance(run.id),
            look=lambda: _started(render, subject, run),
            destructive=True,
        )
    wanted = params.at
    if wanted <= now or (run.pending_maintenance_by and wanted > run.pending_maintenance_by):
        raise InvalidInput(f"`at` must lie in the future.{latest}")

    async def look() -> Look:
        found = await _run(render, subject, run)
        moved = found is not None and found.scheduled_at == wanted
        return Look(moved, f"planned for {stamp(found.scheduled_at if found else None) or 'no time'} UTC")

    return Planned(
        request=request("PATCH", f"/maintenance/{run.id}", {"scheduledAt": as_text(wanted)}),
        says=f"move the {said} from {when} UTC to {stamp(wanted)} UTC",
        target=subject.label,
        touches=(f"maintenance {run.id}",),
        consequence=f"It is down for a while at that time.{latest}",
        undo=call(
            "change_service", service=subject.name, action="maintenance",
            at=as_text(run.scheduled_at) if run.scheduled_at else None,
        ),
        send=lambda: render.schedule_maintenance(run.id, wanted),
        look=look,
    )  # fmt: skip


async def _run(render: RenderClient, subject: Subject, run: Maintenance) -> Maintenance | None:
    runs = await render.list_maintenance(resource=subject.id)
    return next((each for each in runs if each.id == run.id), None)


async def _started(render: RenderClient, subject: Subject, run: Maintenance) -> Look:
    found = await _run(render, subject, run)
    state = found.state if found else "no longer listed"
    return Look(state not in _PLANNED, f"the maintenance is {state}")
