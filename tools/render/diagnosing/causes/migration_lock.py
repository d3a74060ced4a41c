"""A migration waits for a lock, and others wait behind it.

What it is
    A statement that needs a strong lock (ALTER TABLE, an index not built CONCURRENTLY) waits for a long
    transaction, and every later query on the table waits behind it. Or two runs of a migration tool wait for
    its own lock.

How it shows
    "canceling statement due to lock timeout", "deadlock detected", "still waiting for AccessExclusiveLock",
    or the tool's "could not acquire lock", in the pre-deploy log or in the service while a deploy runs.

Next step
    Find who holds the lock (list_activity), let it end, and run the migration with a short lock_timeout and
    retries.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tools.render.diagnosing.cause import STATED, Cause, Kind, clock, often, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried

WORDS = pattern(
    r"due to lock timeout", r"locknotavailable", r"lock_not_available", r"\b55P03\b",
    r"could not obtain lock", r"deadlock detected",
    r"(?:still )?waiting for (?:access|share|row|exclusive)\w*lock", r"lockwaittimeout",
    r"waiting for .{0,30}\block\b", r"advisory lock", r"already locked", r"timed out trying to acquire",
    r"\bP1002\b", r"migrationlocked",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """In a failed pre-deploy command, or in the running service around a deploy."""
    trial = snapshot.trial
    found = tried(snapshot, WORDS, ("pre_deploy",))
    database = [s for s in (snapshot.supabase.said if snapshot.supabase else ()) if WORDS.search(s.raw)]
    theirs = tuple(f"database log, {often(s.count)}: {s.text}" for s in database)
    if trial is not None and found:
        return _cause(STATED + 2, (*found, *theirs), trial.deploy.created_at)
    running = heard(snapshot, WORDS)
    if running is None:
        return None
    times = [e.timestamp for e in snapshot.of_type("pre_deploy_started", "deploy_started") if e.timestamp]
    near = [at for at in times if abs(at - running.since) < timedelta(minutes=30)]
    note = (f"a deploy began {clock(near[0])}, the first wait was {clock(running.since)}",) if near else ()
    return _cause(running.score(85 if near else 75), (*running.evidence, *theirs, *note), running.since)


def _cause(score: float, evidence: tuple[str, ...], since: datetime | None) -> Cause:
    return Cause(
        "migration_lock",
        score,
        "A migration waits for a lock on a table, and other queries wait behind it.",
        shown(evidence),
        "list_activity shows who holds the lock; once it is free, deploy again with a short lock_timeout.",
        since,
    )


KIND = Kind(
    "migration_lock",
    "A migration waits for a lock",
    check,
    __doc__ or "",
    ("migration_failed", "slow_queries", "database_connections_exhausted", "deploy_errors", "deploy_latency"),
)
