"""The start command runs a one-off script instead of the worker."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """The process ends with code 0 right after its start."""
    start = scene.some(15, 70)
    scene.hosted(WORKER).change(scene.ago(start + 2), start_command="npm run worker:check")
    lines = ("> guardian@7.4.2 worker:check", "configuration ok", "==> Application exited early")
    reason = failures.exited_early()
    behaviour = Behaviour(update="fails", update_seconds=60, update_lines=lines, update_reason=reason)
    scene.release(WORKER, "Check the configuration on start", behaviour, start)


INCIDENT = Incident("start-command-exits", Cause.BAD_START_COMMAND, WORKER, story)
