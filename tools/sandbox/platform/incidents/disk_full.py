"""The disk of the page reader is full of cached pages."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import OCR, WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Writes fail, and the usage of the disk has reached its size."""
    hours = scene.some(40, 70)
    lines = (Line("OSError: [Errno 28] No space left on device: '/var/models/cache/page-{job}.png'", 8.0),)
    growth = (10 * 1024 - 6400) / (hours - 1.2)
    scene.lasting(OCR, Effect(disk_mb_per_hour=growth), hours * 60)
    scene.lasting(OCR, Effect(error_rate=0.7, lines=lines), 70)
    scene.lasting(
        WORKER,
        Effect(error_rate=0.5, lines=(Line("error job {job} pass=ocr: page reader answered 500", 5.0),)),
        70,
    )


INCIDENT = Incident("disk-full", Cause.DISK_FULL, OCR, story)
