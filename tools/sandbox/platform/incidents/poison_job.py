"""One document kills the worker each time it is claimed again."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Effect
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """The process ends with code 1, and before each end the same job was claimed."""
    start = scene.some(30, 120)
    words = (
        "info job 8841207 claimed pass=ocr file=mri-report-447.pdf",
        "RangeError: Invalid typed array length: -1",
        "    at decodeTile (/opt/render/project/src/dist/tiff.js:204:18)",
    )
    scene.lasting(
        WORKER, Effect(crash_every=scene.some(3, 6) * 60, crash=failures.exited(1), last_words=words), start
    )


INCIDENT = Incident("poison-job", Cause.POISON_JOB, WORKER, story)
