"""A release of the worker cannot read one kind of document."""

from __future__ import annotations

from tools.sandbox.platform.effects import Behaviour, Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Jobs fail with a new error since the release."""
    lines = (
        Line("error job {job} failed: SyntaxError: Unexpected token in normalized units for {patient}", 6.0),
        Line("    at parseUnits (/opt/render/project/src/dist/normalizer/units.js:31:14)", 6.0),
    )
    effect = Effect(error_rate=0.35, lines=lines)
    scene.release(WORKER, "Normalizer: units with a prefix", Behaviour(effect=effect), scene.some(20, 120))


INCIDENT = Incident("worker-deploy-errors", Cause.DEPLOY_ERRORS, WORKER, story)
