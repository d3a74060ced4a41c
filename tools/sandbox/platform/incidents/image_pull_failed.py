"""The image of the new release cannot be pulled."""

from __future__ import annotations

from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import OCR, Incident, Scene


def story(scene: Scene) -> None:
    """The deploy ends at once; the old image serves."""
    message = "ghcr.io/guardian-health/ocr:2.4.0: manifest unknown"
    scene.release(OCR, "2.4.0", Behaviour(pull_message=message), scene.some(10, 90))


INCIDENT = Incident("image-pull-failed", Cause.IMAGE_PULL_FAILED, OCR, story)
