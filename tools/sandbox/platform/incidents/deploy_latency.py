"""A release asks the database once per row."""

from __future__ import annotations

from tools.sandbox.platform.effects import Behaviour, Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """The p95 multiplies with the release; hardly an error, and the database is not slow."""
    lines = (Line("info timeline loaded profile={profile} queries={big} ms={slow}", 5.0, "info"),)
    effect = Effect(latency=scene.dice.uniform(5, 9), path="/api/timeline", lines=lines, cpu=1.15)
    scene.release(
        WEB, "Timeline: names of providers beside each entry", Behaviour(effect=effect), scene.some(20, 110)
    )


INCIDENT = Incident("deploy-latency", Cause.DEPLOY_LATENCY, WEB, story)
