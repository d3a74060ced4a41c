"""The process does not listen where Render looks.

What it is
    A web service must listen on 0.0.0.0 and on $PORT. Listening on localhost, or on a port of its own, or on
    a port that is taken, looks like silence from outside.

How it shows
    "No open ports detected", "Port scan timeout reached", "Detected open ports on localhost", EADDRINUSE.

Next step
    Bind to 0.0.0.0:$PORT in the code or in the start command, and deploy again.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import STATED, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried

SCAN = pattern(
    r"no open (?:http )?ports? (?:were )?(?:detected|found)", r"port scan timeout",
    r"detected open ports on localhost", r"bind your service to at least one port", r"eaddrinuse",
    r"address already in use", r"eacces.{0,40}0\.0\.0\.0",
)  # fmt: skip
LOCAL = pattern(
    r"(?:listening|running|started|serving|server)\b.{0,60}(?:localhost|127\.0\.0\.1|\[::1\])",
    r"(?:localhost|127\.0\.0\.1):\d{2,5}",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """In the latest failed deploy of a service that is to be reached."""
    trial = snapshot.trial
    if trial is None or trial.step != "update":
        running = heard(snapshot, pattern(r"eaddrinuse", r"address already in use"))
        if running is None:
            return None
        return _cause(running.score(), running.evidence, snapshot)
    scan, local = tried(snapshot, SCAN, ("update",)), tried(snapshot, LOCAL, ("update",))
    crashed = "nonZeroExit" in trial.reason and "timedOutSeconds" not in trial.reason
    if not scan and not local:
        return None
    score = STATED - (35 if crashed and not _taken(scan) else 0) if scan else STATED - 10
    if not scan and crashed:
        return None
    return _cause(score, (*scan[-2:], *local[:1]), snapshot)


def _taken(scan: tuple[str, ...]) -> bool:
    return any("EADDRINUSE" in line or "already in use" in line for line in scan)


def _cause(score: float, evidence: tuple[str, ...], snapshot: Snapshot) -> Cause:
    trial = snapshot.trial
    return Cause(
        "port_binding",
        score,
        "The process does not listen on 0.0.0.0:$PORT, so Render finds no open port.",
        shown(evidence),
        "Bind to host 0.0.0.0 and to the port in $PORT (code or start command), then deploy_service.",
        trial.deploy.created_at if trial else None,
    )


KIND = Kind(
    "port_binding",
    "The process does not listen where Render looks",
    check,
    __doc__ or "",
    ("slow_start", "wrong_health_path"),
)
