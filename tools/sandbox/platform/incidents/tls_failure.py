"""The certificate of the laboratory partner ran out."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Calls to one host fail in the handshake since midnight."""
    start = scene.some(400, 800)
    lines = (
        Line(
            "error lab import: certificate has expired (CERT_HAS_EXPIRED) host=fhir.labpartner.example", 4.0
        ),
    )
    scene.lasting(WORKER, Effect(error_rate=0.15, lines=lines), start)


INCIDENT = Incident("tls-failure", Cause.TLS_FAILURE, WORKER, story)
