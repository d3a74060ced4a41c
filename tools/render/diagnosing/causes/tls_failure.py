"""TLS with another server fails.

What it is
    A certificate is expired, not trusted, or for another name; or the two sides do not speak the same TLS.

How it shows
    CERT_HAS_EXPIRED, "certificate verify failed", "x509:", UNABLE_TO_VERIFY_LEAF_SIGNATURE, altnames,
    "no pg_hba.conf entry ... no encryption".

Next step
    Whoever owns that server renews the certificate; a private authority goes into the trust store. Never
    switch verification off.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import SAID, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried

WORDS = pattern(
    r"certificate", r"\bx509\b", r"cert_has_expired", r"unable_to_(?:verify|get)", r"self[- ]signed",
    r"err_tls", r"err_ssl", r"ssl routines", r"ssl: (?:wrong_version|tlsv1|sslv3)", r"tls(?:v1)? alert",
    r"tls handshake", r"sslerror", r"handshake[_ ]failure",
    r"no pg_hba\.conf entry.{0,80}(?:ssl off|no encryption)", r"ssl/tls required", r"eproto",
    r"depth_zero_self_signed",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """In the running service, or at the start of a deploy."""
    running = heard(snapshot, WORDS)
    found = tried(snapshot, WORDS, ("pre_deploy", "update"))
    if running is None and not found:
        return None
    return Cause(
        "tls_failure",
        running.score(SAID + 8) if running else SAID,
        "TLS with a server that it calls fails.",
        shown((running.evidence if running else found)[:2]),
        "The owner of that server renews or corrects the certificate; do not switch verification off.",
        running.since if running else None,
    )


KIND = Kind(
    "tls_failure",
    "TLS with another server fails",
    check,
    __doc__ or "",
    ("third_party_down", "deploy_errors", "supabase_down", "database_down"),
)
