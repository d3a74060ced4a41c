"""Another service that it calls does not answer.

What it is
    An API outside of Render and Supabase (or another of one's own services) answers 5xx, or not at all.

How it shows
    Errors of an HTTP client with a foreign host: 502, 503, 504, ECONNREFUSED, ETIMEDOUT, "Read timed out",
    "socket hang up".

Next step
    The status page of that host; meanwhile time-outs, retries with backoff, a circuit breaker.
"""

from __future__ import annotations

import re

from tools.render.diagnosing.cause import SAID, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern

WORDS = pattern(
    r"\b50[234]\b.{0,60}(?:service (?:temporarily )?unavailable|bad gateway|gateway time)",
    r"(?:service (?:temporarily )?unavailable|bad gateway|gateway time-?out)",
    r"(?:status(?: code)?|responded(?: with)?|returned|answered|http)[ :=]{0,3}5\d\d\b", r"etimedout",
    r"econnrefused", r"econnreset", r"ehostunreach", r"read timed out", r"connect(?:ion)? timed? ?out",
    r"socket hang up", r"connection (?:refused|reset)", r"und_err_\w*timeout", r"fetch failed",
    r"context deadline exceeded", r"i/o timeout", r"net::(?:readtimeout|opentimeout)",
    r"upstream (?:request )?(?:timeout|unavailable|error|connect error)",
    r"faraday::(?:timeouterror|connectionfailed)", r"max retries exceeded", r"timeout of \d+ ?ms exceeded",
    r"circuit (?:breaker )?(?:is )?open", r"overloaded",
)  # fmt: skip
NOT = pattern(
    r"supabase", r"redis", r"\b(?:5432|6543|6379|6380)\b", r"certificate", r"enotfound",
    r"name or service not known", r"no such host", r"name resolution", r"failed to resolve", r"eai_again",
    r"\b429\b", r"statement timeout", r"lock timeout", r"connection pool", r"localhost", r"127\.0\.0\.1",
    r"PGRST",
)  # fmt: skip
_URL = re.compile(
    r"(?:https?://|host(?:name)?=['\"]?)((?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24})\b", re.IGNORECASE
)
_BARE = re.compile(
    r"(?<![\w./@-])((?:[a-z0-9-]{1,63}\.){2,6}(?!exceptions|errors|utils|js|py|rb|go|ts)[a-z]{2,24})(?![\w.(])"
)


def check(snapshot: Snapshot) -> Cause | None:
    """The words of the process with the host that they name."""
    running = heard(snapshot, WORDS, unless=NOT)
    if running is None:
        return None
    texts = [raw[:2_000] for raw in running.raws]
    hosts = [h for raw in texts for h in _URL.findall(raw)] or [
        h for raw in texts for h in _BARE.findall(raw)
    ]
    hosts = list(dict.fromkeys(hosts))
    own = [s.name for s in snapshot.siblings if s.name and any(s.name in raw for raw in running.raws)]
    return Cause(
        "third_party_down",
        running.score(SAID),
        f"{(own or hosts or ['Another service'])[0]}, which it calls, does not answer.",
        shown([*running.evidence, f"host: {', '.join(hosts[:3])}" if hosts else ""]),
        f"diagnose_service on {own[0]}."
        if own
        else "See that host's status page; until then time-outs and backoff, and the feature switched off.",
        running.since,
    )


KIND = Kind(
    "third_party_down",
    "Another service does not answer",
    check,
    __doc__ or "",
    ("deploy_errors", "queue_backlog", "deploy_latency"),
)
