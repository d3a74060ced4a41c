"""Supabase does not answer.

What it is
    The project, or one of its components (database, API, auth, storage), is down, paused or restarting.

How it shows
    Its health check names the component; the service's log has 5xx of *.supabase.co, PGRST000 to PGRST002.

Next step
    describe_project, and Supabase's status page; a paused project is restored by a person.
"""

from __future__ import annotations

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import SAID, STATED, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried

HOST = r"(?:supabase|postgrest|gotrue)"
WORDS = pattern(
    HOST + r".{0,160}(?:\b50[0-4]\b|\b52\d\b|\b544\b|unavailable|timed? ?out|refused|fetch failed|bad"
           r" gateway|unhealthy|hang up)",
    r"(?:\b50[234]\b|\b52\d\b|\b544\b|unavailable|timed? ?out|refused|fetch failed|bad gateway|hang"
    r" up).{0,160}" + HOST,
    r"PGRST00[0-2]", r"could not query the database for the schema cache", r"project is paused",
    r"no route matched with those values",
)  # fmt: skip
NOT = pattern(r"certificate", r"enotfound", r"429", r"invalid api key", r"jwt", r"rate limit")


def check(snapshot: Snapshot) -> Cause | None:
    """The words of the service and the health of the connected project."""
    running = heard(snapshot, WORDS, unless=NOT)
    found = tried(snapshot, WORDS, ("pre_deploy", "update"), unless=NOT)
    project = snapshot.supabase
    sick = project.unhealthy if project else ()
    paused = project is not None and project.status not in ("ACTIVE_HEALTHY", "")
    if running is None and not found and not sick and not paused:
        return None
    states = [f"Supabase health: {name} is down ({fingerprint(text)})" for name, text in sick[:2]]
    states += [f"Supabase project: {project.status}"] if project and paused else []
    spoken = running is not None or bool(found)
    score = STATED if states and spoken else 66 if states else running.score(SAID + 2) if running else 70
    return Cause(
        "supabase_down",
        score,
        "Supabase, which it calls, does not answer.",
        shown([*states, *(running.evidence if running else found)[:2]]),
        "describe_project and Supabase's status page; a paused project is restored by a person.",
        running.since if running else None,
    )


KIND = Kind(
    "supabase_down",
    "Supabase does not answer",
    check,
    __doc__ or "",
    (
        "third_party_down",
        "deploy_errors",
        "database_connections_exhausted",
        "slow_queries",
        "health_check_failing",
        "deploy_latency",
    ),
)
