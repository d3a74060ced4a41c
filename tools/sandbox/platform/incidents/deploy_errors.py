"""A release went live and fails on one of its paths."""

from __future__ import annotations

from tools.sandbox.platform.effects import Behaviour, Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """Errors of a kind never seen before begin the minute the release serves."""
    lines = (
        Line(
            "error GET /api/profiles TypeError: Cannot read properties of undefined (reading 'guardians')",
            8.0,
        ),
        Line("    at listProfiles (/opt/render/project/src/dist/profiles.js:88:31)", 8.0),
    )
    effect = Effect(error_rate=scene.dice.uniform(0.5, 0.9), path="/api/profiles", lines=lines)
    scene.release(WEB, "Profiles: show who cares for whom", Behaviour(effect=effect), scene.some(15, 100))


INCIDENT = Incident("deploy-errors", Cause.DEPLOY_ERRORS, WEB, story)
