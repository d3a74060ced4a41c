"""The health check asks for a path that does not answer well.

What it is
    Render counts 2xx and 3xx within 5 seconds as healthy. A path that the application does not have, or that
    wants a login, fails every check, although the application is well.

How it shows
    The latest deploy is update_failed as unhealthy with a 4xx, or its log shows the path answered with 404.

Next step
    Set the health check path to one that the application serves without a login, and deploy again.
"""

from __future__ import annotations

import re
from datetime import datetime

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import STATED, Cause, Kind, often, shown
from tools.render.diagnosing.evidence import Snapshot, reason_of
from tools.render.diagnosing.spoken import tried

_CLIENT = re.compile(r"\b(?:40[0134]|405|401)\b|not found", re.IGNORECASE)


def check(snapshot: Snapshot) -> Cause | None:
    """In a failed deploy, or in instances that Render takes for unhealthy."""
    path = snapshot.service.service_details.health_check_path
    setting = (f"health check path: {path or '(none)'}",)
    trial = snapshot.trial
    if trial is not None and trial.step == "update":
        said = str(trial.reason.get("unhealthy", ""))
        near = re.compile(
            rf"{re.escape(path)}\b.{{0,40}}\b40[0134]\b|\b40[0134]\b.{{0,60}}{re.escape(path)}"
            rf"|no route matches.{{0,40}}{re.escape(path)}|cannot get {re.escape(path)}|not found:"
            rf" {re.escape(path)}",
            re.IGNORECASE,
        )
        found = tried(snapshot, near, ("update",)) if path else ()
        if _CLIENT.search(said) or (found and "nonZeroExit" not in trial.reason):
            evidence = (f"event: {fingerprint(said)}",) if said else ()
            return _cause((*evidence, *found[:1], *setting), trial.deploy.created_at)
        return None
    sick = [e for e in snapshot.failures if _CLIENT.search(str(reason_of(e).get("unhealthy", "")))]
    if not sick:
        return None
    said = fingerprint(str(reason_of(sick[0])["unhealthy"]))
    return _cause((f"event, {often(len(sick))}: {said}", *setting), sick[-1].timestamp)


def _cause(evidence: tuple[str, ...], since: datetime | None) -> Cause:
    return Cause(
        "wrong_health_path",
        STATED,
        "The health check path is one that the application does not serve.",
        shown(evidence),
        "Set the health check path to one that answers 200 without a login (a person, in the settings or in"
        " render.yaml), then deploy_service.",
        since,
    )


KIND = Kind(
    "wrong_health_path", "The health check asks for a wrong path", check, __doc__ or "", ("slow_start",)
)
