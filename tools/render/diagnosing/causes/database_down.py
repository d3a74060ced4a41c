"""Its database does not answer.

What it is
    Render Postgres (or another database on port 5432 or 6543) is suspended, restarting, in maintenance,
    failing over, or refuses connections.

How it shows
    The status of the database, "connection refused" on its port, "the database system is starting up",
    "terminating connection due to administrator command".

Next step
    See the database's status with describe_service; resume it, or wait for its maintenance to end.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import SAID, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried

WORDS = pattern(
    r"(?:refused|timed? ?out|unreachable|reset|closed).{0,80}(?:5432|6543)\b",
    r"(?:5432|6543)\b.{0,80}(?:refused|timed? ?out|unreachable|reset)",
    r"database system is (?:starting up|shutting down|in recovery|not yet accepting)",
    r"terminating connection due to administrator", r"server closed the connection unexpectedly",
    r"can't reach database server", r"\bP1001\b", r"is the server running on (?:that )?host",
    r"connection terminated unexpectedly", r"cannot execute .{0,30} in a read-only transaction",
)  # fmt: skip
NOT = pattern(
    r"supabase", r"too many", r"slots", r"password authentication", r"name or service", r"enotfound"
)


def check(snapshot: Snapshot) -> Cause | None:
    """The words, or a database that is not available."""
    running = heard(snapshot, WORDS, unless=NOT)
    found = tried(snapshot, WORDS, ("pre_deploy", "update"), unless=NOT)
    down = [s for s in snapshot.postgres if s.suspended or s.status not in ("available", "", "unknown")]
    states = tuple(f"{s.name}: {'suspended' if s.suspended else s.status}" for s in down)
    if running is None and not found:
        return None
    score = (running.score(SAID) if running else SAID - 8) + (8 if down else 0)
    return Cause(
        "database_down",
        score,
        "Its database does not answer.",
        shown([*states, *(running.evidence if running else found)[:2]]),
        "describe_service on the database; a person resumes it, or waits for its maintenance to end.",
        running.since if running else None,
    )


KIND = Kind(
    "database_down",
    "Its database does not answer",
    check,
    __doc__ or "",
    ("deploy_errors", "health_check_failing", "process_crashes", "start_crash"),
)
