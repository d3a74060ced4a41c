"""Supabase Auth sends no more mails in this hour."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """Only sign-in by link fails, with 429 from the Auth service."""
    start = scene.some(15, 50)
    lines = (Line("error sign-in link for {email}: AuthApiError 429 over_email_send_rate_limit", 4.0),)
    scene.lasting(WEB, Effect(error_rate=0.02, error_status=429, lines=lines), start)
    scene.trouble(
        "auth_logs", "429: email rate limit exceeded", 4, start, level="error", status="429", path="/otp"
    )


INCIDENT = Incident("auth-rate-limited", Cause.RATE_LIMITED_UPSTREAM, WEB, story)
