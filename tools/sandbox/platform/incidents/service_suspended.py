"""The page reader was suspended; the worker depends on it."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import OCR, WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Passes that read pages fail to connect to a service that does not run."""
    start = scene.some(30, 200)
    who = {"actor": "user", "suspendedByUser": {"id": "usr-d1person2", "email": ""}}
    scene.hosted(OCR).change(scene.ago(start), suspenders=("user",))
    scene.note(OCR, "suspender_added", who, start)
    scene.note(OCR, "service_suspended", {}, start)
    scene.audit("SuspendServiceEvent", {"serviceId": scene.hosted(OCR).spec.id}, start)
    lines = (Line("error job {job} pass=ocr: connect ECONNREFUSED guardian-ocr:8080", 7.0),)
    scene.lasting(WORKER, Effect(error_rate=0.6, lines=lines, cpu=0.5), start)


INCIDENT = Incident("service-suspended", Cause.SERVICE_SUSPENDED, WORKER, story)
