"""The new release crashes at its start.

What it is
    The process ends with an error before it serves: a module that is not installed, a wrong setting, code
    that fails at import.

How it shows
    The latest deploy is update_failed with an exit code, and none of the other causes of a failed start.

Next step
    Read the stack trace, mend the code, push. The release before still serves: there is nothing to roll
    back.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import pattern, tried

WORDS = pattern(
    r"error\b", r"exception", r"panic", r"traceback", r"fatal", r"cannot find module", r"no module named"
)


def check(snapshot: Snapshot) -> Cause | None:
    """Any deploy that ended while it was brought up, with a code."""
    trial = snapshot.trial
    if trial is None or trial.step != "update":
        return None
    code = trial.reason.get("nonZeroExit")
    found = tried(snapshot, WORDS, ("update",))
    if not code and not found:
        return None
    ended = (f"event: exit code {code}",) if code else ()
    return Cause(
        "start_crash",
        66 if found else 55,
        "The new release crashes at its start; the release before still serves.",
        shown([*found[:2], *ended]),
        "Read the trace with read_logs for this deploy, mend the code and push.",
        trial.deploy.created_at,
    )


KIND = Kind("start_crash", "The new release crashes at its start", check, __doc__ or "")
