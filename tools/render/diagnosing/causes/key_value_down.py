"""Its Key Value instance (Redis) does not answer.

What it is
    The cache or queue is down, suspended, restarting, full (noeviction), or refuses the login.

How it shows
    Errors of a Redis client or on port 6379, or a Key Value instance that is not available.

Next step
    describe_service on the instance: resume it, give it room, or correct the address that the service has.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import SAID, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern, tried

WORDS = pattern(
    r"(?:refused|timed? ?out|reset|closed|unreachable|no route).{0,80}\b(?:6379|6380)\b",
    r"\b(?:6379|6380)\b.{0,80}(?:refused|timed? ?out|reset|closed|unreachable)",
    r"redis.{0,80}(?:refused|timed? ?out|closed|reset|unreachable|cannotconnect|connectionerror|lost"
    r"|unavailable|is loading|is not ready)",
    r"(?:refused|timed? ?out|closed|lost|reset).{0,60}redis", r"maxretriesperrequest",
    r"oom command not allowed", r"readonly you can't write", r"loading redis is loading", r"\bnoauth\b",
    r"wrongpass", r"stream isn't writeable and enableofflinequeue", r"misconf redis",
    r"valkey.{0,60}(?:refused|timed? ?out)", r"cannot connect to redis",
)  # fmt: skip
NOT = pattern(r"enotfound", r"name or service not known", r"no such host", r"eai_again")


def check(snapshot: Snapshot) -> Cause | None:
    """The words of the process; the state of the instances makes it sure."""
    running = heard(snapshot, WORDS, unless=NOT)
    found = tried(snapshot, WORDS, ("pre_deploy", "update"), unless=NOT)
    down = [s for s in snapshot.key_values if s.suspended or s.status not in ("available", "", "unknown")]
    states = tuple(f"Key Value {s.name}: {'suspended' if s.suspended else s.status}" for s in down)
    if running is None and not found:
        return None
    score = (running.score(SAID + 4) if running else SAID - 6) + (8 if down else 0)
    return Cause(
        "key_value_down",
        score,
        "Its Key Value instance (Redis) does not answer.",
        shown([*states, *(running.evidence if running else found)[:2]]),
        "describe_service on the Key Value instance: state, memory and policy, and the address the"
        " service has.",
        running.since if running else None,
    )


KIND = Kind(
    "key_value_down",
    "Its Key Value instance does not answer",
    check,
    __doc__ or "",
    (
        "queue_backlog",
        "deploy_errors",
        "process_crashes",
        "third_party_down",
        "start_crash",
        "health_check_failing",
    ),
)
