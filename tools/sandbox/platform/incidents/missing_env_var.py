"""The new code reads a variable that the service does not have."""

from __future__ import annotations

from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """The new instance ends at its start; the old release goes on."""
    behaviour = Behaviour(needs=("NORMALIZER_URL",), update_lines=("info starting worker build 7.4.2",))
    scene.release(WORKER, "Documents go through the normalizer service", behaviour, scene.some(15, 80))


INCIDENT = Incident("missing-env-var", Cause.MISSING_ENV_VAR, WORKER, story)
