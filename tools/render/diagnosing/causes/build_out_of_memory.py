"""The build runs out of memory.

What it is
    The bundler, the compiler or the package manager needs more memory than the build instance, or than the
    heap that Node was given.

How it shows
    The latest deploy is build_failed; its reason is oomKilled, or the build log says "Out of memory (used
    over ...)", "JavaScript heap out of memory", "Killed", exit 134 or 137.

Next step
    Choose a larger build plan, raise --max-old-space-size for the build alone, or build less at once (source
    maps off). The release before still serves.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import STATED, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import pattern, tried

WORDS = pattern(
    r"heap out of memory", r"reached heap limit", r"out of memory \(used over", r"^killed$",
    r"exit(?:ed)?\b.{0,20}\b13[47]\b", r"signal: killed", r"memoryerror", r"cannot allocate memory",
    r"ran out of memory", r"sigkill",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """Only for a failed build."""
    trial = snapshot.trial
    if trial is None or trial.step != "build":
        return None
    found = list(tried(snapshot, WORDS, ("build",)))
    killed = "oomKilled" in trial.reason
    if not killed and not found:
        return None
    if killed:
        found.insert(0, "event: the build was killed at its memory limit")
    return Cause(
        "build_out_of_memory",
        STATED,
        "The build runs out of memory; the release before still serves.",
        shown(found),
        "Choose a larger build plan (dashboard), or raise the heap for the build alone and build less"
        " at once.",
        trial.deploy.created_at,
    )


KIND = Kind("build_out_of_memory", "The build runs out of memory", check, __doc__ or "", ("build_failed",))
