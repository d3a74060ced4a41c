"""Queries of the database are slow.

What it is
    One or a few statements take far longer than they used to: a missing index, a table that grew, a plan that
    changed. Requests and jobs wait for them.

How it shows
    "canceling statement due to statement timeout", slow-query lines, latency up without CPU; the statements
    themselves from pg_stat_statements of the connected database or of Render Postgres.

Next step
    explain_query on the statement named; then an index or another wording, as a migration.
"""

from __future__ import annotations

from datetime import timedelta

from tools.render.diagnosing.cause import SAID, Cause, Kind, often, shown
from tools.render.diagnosing.evidence import Snapshot, Statement
from tools.render.diagnosing.spoken import heard, pattern
from tools.render.diagnosing.symptoms import slow

WORDS = pattern(
    r"due to statement timeout", r"\b57014\b", r"querycanceled", r"slow (?:query|sql|statement)",
    r"query (?:read )?(?:took|timed? ?out|timeout)", r"\bduration: \d+\.\d+ ms", r"statement timeout",
    r"db\.query.{0,40}\d{4,}ms", r"long[- ]running (?:query|transaction)",
    r"(?:select|update|insert|delete)\b.{0,200}\b(?:took|duration|elapsed)\D{0,6}\d{4,}",
    r"\bsql\b.{0,60}\b\d{4,} ?ms", r"query_wait_timeout", r"maximum statement execution time",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """The words of the process or of the database, joined with the costly statements."""
    running = heard(snapshot, WORDS)
    theirs = [s for s in (snapshot.supabase.said if snapshot.supabase else ()) if WORDS.search(s.raw)]
    late = slow(snapshot)
    if running is None and not (theirs and late):
        return None
    costly = sorted((s for s in snapshot.statements if s.mean_ms > 200), key=lambda s: -s.mean_ms)
    cpu_free = snapshot.cpu_use.last is not None and snapshot.cpu_use.last < 0.8
    score = (
        (running.score(SAID + 2) if running else 70) + (4 if theirs else 0) + (4 if late and cpu_free else 0)
    )
    release = snapshot.released_before(running.since if running else None, timedelta(minutes=10))
    evidence = [
        *(running.evidence[:2] if running else ()),
        *(f"database log, {often(s.count)}: {s.text}" for s in theirs[:1]),
        f"p95 {late.level:.0f} ms (usual {late.usual:.0f} ms)" if late else "",
        *(_told(s) for s in costly[:2]),
    ]
    return Cause(
        "slow_queries",
        score - (2 if release else 0),
        "Queries of its database are slow.",
        shown(evidence, 5),
        "explain_query on the statement"
        + (" named here" if costly else " (connect the database to find it)")
        + ".",
        late.start if late else running.since if running else None,
    )


def _told(statement: Statement) -> str:
    return (
        f"{statement.where}: {statement.mean_ms:.0f} ms mean, {statement.calls:.0f} calls: {statement.query}"
    )


KIND = Kind(
    "slow_queries",
    "Queries of the database are slow",
    check,
    __doc__ or "",
    ("deploy_latency", "deploy_errors", "queue_backlog"),
)
