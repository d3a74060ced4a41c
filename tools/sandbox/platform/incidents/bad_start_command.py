"""The start command names a file that the build no longer makes."""

from __future__ import annotations

from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """The new instance ends at once with code 1; the build was fine."""
    start = scene.some(15, 70)
    scene.hosted(WORKER).change(scene.ago(start + 2), start_command="node build/worker.js")
    lines = (
        "node:internal/modules/cjs/loader:1228",
        "Error: Cannot find module '/opt/render/project/src/build/worker.js'",
        "  code: 'MODULE_NOT_FOUND',",
        "==> Exited with status 1",
    )
    behaviour = Behaviour(update="fails", update_seconds=70, update_lines=lines)
    scene.release(WORKER, "Worker reads its options from one file", behaviour, start)


INCIDENT = Incident("bad-start-command", Cause.BAD_START_COMMAND, WORKER, story)
