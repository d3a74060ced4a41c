"""A key, token or password is not accepted (any more).

What it is
    A credential expired, was revoked or rotated, and the service still has the old one.

How it shows
    401 or 403 of a service that it calls with "invalid API key", "invalid_grant", "token expired",
    "password authentication failed", "signature does not match".

Next step
    A person makes a new credential; change_env_var sets it where the service has it; then deploy.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import SAID, Cause, Kind, clock, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried

WORDS = pattern(
    r"invalid (?:api|access|auth\w*|service|secret|subscription)?[ -]?(?:key|token|credentials?"
    r"|signature|jwt|client)\b",
    r"invalid_grant", r"invalid_client", r"invalid[_ ]api[_ ]?key",
    r"(?:token|key|secret|credential|password|session|jwt|certificate of access)s?(?: has| have| is| was"
    r"| are)?(?: been)? (?:expired|revoked|rotated|disabled)",
    r"expired (?:or revoked )?(?:token|key|credential|jwt|api)", r"expiredtoken", r"tokenexpired",
    r"jwsverif", r"jwt (?:expired|malformed|signature)", r"password authentication failed",
    r"authentication failed", r"signature ?does ?not ?match",
    r"signature (?:verification failed|is invalid|mismatch)", r"\b401\b.{0,60}unauthori[sz]ed",
    r"unauthori[sz]ed.{0,60}\b401\b",
    r"(?:status(?: code)?|http|responded(?: with)?|answered|returned)[ :=]{0,3}40[13]\b",
    r"\b403\b.{0,40}forbidden", r"incorrect api key", r"authenticationerror", r"authentication_error",
    r"api key (?:is )?(?:not valid|expired|revoked|invalid)", r"accessdenied", r"invalidclienttokenid",
    r"unrecognizedclient", r"wrong password", r"sasl: scram", r"permission_denied.{0,60}api key",
)  # fmt: skip
NOT = pattern(r"redis", r"certificate", r"\bsigned[- ]out\b", r"user token", r"health check")


def check(snapshot: Snapshot) -> Cause | None:
    """In the running service, at the start of a deploy, or in a run."""
    running = heard(snapshot, WORDS, unless=NOT)
    found = tried(snapshot, WORDS, ("pre_deploy", "update"), unless=NOT)
    if running is None and not found:
        return None
    since = running.since if running else None
    changed = [
        e for e in snapshot.audit
        if since and e.timestamp and abs((e.timestamp - since).total_seconds()) < 7200
        and any(word in e.event.lower() for word in ("key", "secret", "env", "credential"))
    ]  # fmt: skip
    note = f"audit log: {changed[0].event} {clock(changed[0].timestamp)}" if changed else ""
    return Cause(
        "expired_secret",
        running.score(SAID + 6) if running else SAID,
        "A key, token or password that it uses is not accepted any more.",
        shown([*(running.evidence if running else found)[:2], note]),
        "A person makes a new credential; change_env_var sets it (that alone deploys nothing), then"
        " deploy_service.",
        since,
    )


KIND = Kind(
    "expired_secret",
    "A credential is not accepted",
    check,
    __doc__ or "",
    ("third_party_down", "deploy_errors", "run_failed", "process_crashes", "start_crash"),
)
