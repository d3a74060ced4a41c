"""Events in words: what happened to a service, why, and to how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tools.render.describing import reason_words
from tools.render.models_observed import Event
from tools.wording import clipped

NOISE: Final = frozenset(
    {"server_available", "build_started", "deploy_started", "pre_deploy_started", "autoscaling_started"}
    | {"cron_job_run_started", "disk_created"}
)
"""What is told again, and better, by the event that ends it."""
_STEPS: Final = frozenset({"cron_job_run_ended", "build_ended", "pre_deploy_ended"})
_OUTCOMES: Final = ("deployStatus", "buildStatus", "preDeployStatus", "status")
_UNSAID: Final = frozenset(
    {
        "trigger",
        "reason",
        "status",
        "instanceID",
        "instanceId",
        "failure",
        "buildId",
        "deployCommandExecutionId",
    }
)
_ALONE: Final = frozenset({"deployId", "cronJobRunId", "jobId"})
"""Ids that say by themselves what they are of."""
_LONG: Final = 160


def event_words(event: Event) -> str:
    """`failed, exited with status 1 (dep-...)`; the type is not repeated."""
    details = event.details
    outcome = next((str(details[key]) for key in _OUTCOMES if isinstance(details.get(key), str)), "")
    why = reason_words(event.reason)
    change = _change(details)
    instance = str(details.get("instanceID") or details.get("instanceId") or "")
    trigger = details.get("trigger")
    rest = [
        str(value) if key in _ALONE else f"{key} {value}"
        for key, value in details.items()
        if key not in {*_UNSAID, *_OUTCOMES} and not key.startswith(("from", "to")) and _plain(value)
    ]
    parts = [
        outcome,
        why,
        change,
        f"instance {instance.rpartition('-')[2]}" if instance else "",
        _trigger(trigger) if isinstance(trigger, Mapping) else "",  # pyright: ignore[reportUnknownArgumentType]  JSON
        ", ".join(rest),
    ]
    return clipped(", ".join(filter(None, parts)), _LONG)


def telling(events: Sequence[Event]) -> list[Event]:
    """Without what is noise: steps of a deploy, and runs of a cron job, that went well."""
    return [event for event in events if event.type not in NOISE and not _is_routine(event)]


def _is_routine(event: Event) -> bool:
    said = {str(event.details.get(key)) for key in _OUTCOMES}
    return event.type in _STEPS and bool(said & {"successful", "succeeded"})


def _change(details: Mapping[str, Any]) -> str:
    """`fromInstances` and `toInstances` are `2 to 3`."""
    for key, value in details.items():
        other = f"to{key[4:]}"
        if key.startswith("from") and _plain(value) and other in details:
            return f"{value} to {details[other]}"
    return ""


def _plain(value: object) -> bool:
    return isinstance(value, str | int | float) and value not in ("", False)


def _trigger(trigger: Mapping[str, Any]) -> str:
    told = [
        key if value is True else f"{key} {value}"
        for key, value in trigger.items()
        if (_plain(value) and not isinstance(value, int | float)) or value is True
    ]
    return f"by {', '.join(told)}" if told else ""
