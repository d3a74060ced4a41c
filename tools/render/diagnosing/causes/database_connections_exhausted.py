"""No database connection is left.

What it is
    Postgres, its pooler, or the pool of the process has no free connection: too many instances times too
    large a pool, connections that are never given back, or slow queries that hold them.

How it shows
    "too many clients already", "remaining connection slots are reserved", "max clients reached", Prisma's
    P2024, SQLAlchemy's QueuePool limit, ActiveRecord's ConnectionTimeoutError, PGRST003.

Next step
    See who holds them with list_activity; use the pooler in transaction mode, and pool size x instances
    below the limit.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import SAID, Cause, Kind, often, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried

WORDS = pattern(
    r"too many clients already", r"remaining connection slots are reserved", r"too many connections",
    r"\b53300\b", r"max client(?:s| connections)? reached", r"maxclientsinsessionmode",
    r"no more connections allowed", r"emaxconn", r"fetching a new connection from the (?:connection )?pool",
    r"\bP2024\b", r"acquiring (?:a )?connection", r"queuepool limit",
    r"could not (?:obtain|get|acquire) a (?:database )?connection", r"connectiontimeouterror",
    r"timeout exceeded when trying to connect", r"PGRST003", r"resourcerequest timed out",
    r"connection pool (?:is )?(?:exhausted|timeout|full|timed out)", r"pool ?(?:timeout|exhausted)",
    r"couldn't get a connection after", r"all pooled connections were in use",
    r"no (?:free|available) connections?", r"unable to check ?out", r"client_idle_timeout.*pool",
    r"connection (?:is )?not available", r"pool.{0,30}no connections? (?:left|available)",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """The process's words, and the database's own where they can be read."""
    running = heard(snapshot, WORDS)
    found = tried(snapshot, WORDS, ("pre_deploy", "update"))
    theirs = [s for s in (snapshot.supabase.said if snapshot.supabase else ()) if WORDS.search(s.raw)]
    if running is None and not found:
        return None
    told = tuple(f"database log, {often(s.count)}: {s.text}" for s in theirs[:1])
    used = [
        f"{store.name}: {store.connections.last:.0f} connections (usual {store.connections.usual():.0f})"
        for store in snapshot.postgres
        if store.connections.last and store.connections.last > 1.5 * store.connections.usual()
    ]
    score = (running.score(SAID + 4) if running else SAID) + (6 if told or used else 0)
    return Cause(
        "database_connections_exhausted",
        score,
        "No database connection is left for it.",
        shown([*(running.evidence if running else found)[:2], *told, *used], 4),
        "list_activity shows who holds them; keep pool size x instances below the limit, through the pooler.",
        running.since if running else None,
    )


KIND = Kind(
    "database_connections_exhausted",
    "No database connection is left",
    check,
    __doc__ or "",
    ("deploy_errors", "deploy_latency", "health_check_failing", "queue_backlog"),
)
