"""A service that it calls limits its requests.

What it is
    More requests than an API allows, or a used-up quota: the API answers 429.

How it shows
    429, "Too Many Requests", "rate limit", "quota exceeded", over_request_rate_limit (Supabase Auth).

Next step
    Slow down with backoff and Retry-After, share one limiter between instances, or ask for a higher limit.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import SAID, Cause, Kind, often, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern

WORDS = pattern(
    r"\b429\b", r"too many requests", r"rate[- _]?limit", r"quota (?:exceeded|has been exceeded|reached)",
    r"exceeded your current quota", r"over_(?:request|email_send|sms_send)_rate_limit",
    r"throttl(?:ed|ing)", r"resource_?exhausted", r"slow down", r"insufficient_quota",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """The words of the process, and of Supabase where it is the one that limits."""
    running = heard(snapshot, WORDS)
    if running is None:
        return None
    theirs = [s for s in (snapshot.supabase.said if snapshot.supabase else ()) if WORDS.search(s.raw)]
    told = tuple(f"Supabase log, {often(s.count)}: {s.text}" for s in theirs[:1])
    return Cause(
        "rate_limited_upstream",
        running.score(SAID + 7),
        "A service that it calls limits its requests (429).",
        shown([*running.evidence, *told]),
        "Call less often (backoff with Retry-After, one limiter for all instances), or ask for a higher"
        " limit.",
        running.since,
    )


KIND = Kind(
    "rate_limited_upstream",
    "A called service limits its requests",
    check,
    __doc__ or "",
    ("queue_backlog", "deploy_errors", "third_party_down"),
)
