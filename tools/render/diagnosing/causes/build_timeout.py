"""The build takes longer than it may.

What it is
    A build is stopped after a fixed time (120 minutes at Render, less where a pipeline limit is set), most
    often because a step waits for an answer, a download hangs, or tests run within the build.

How it shows
    The latest deploy is build_failed with timedOutSeconds as its reason, or the log ends with a time-out.

Next step
    Find the last step in the build log; make it not interactive, or move it out of the build.
"""

from __future__ import annotations

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import STATED, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import pattern, tried

WORDS = pattern(r"build (?:exceeded|timed out)", r"==> timed ?out", r"build.{0,40}time ?out")


def check(snapshot: Snapshot) -> Cause | None:
    """Only for a failed build."""
    trial = snapshot.trial
    if trial is None or trial.step != "build":
        return None
    stated = trial.reason.get("timedOutSeconds")
    found = list(tried(snapshot, WORDS, ("build",)))
    if not stated and not found:
        return None
    if stated:
        found.insert(0, f"event: stopped after {stated} s")
    own = [line for line in trial.lines if not line.raw.startswith("==>")]
    if own:
        found.append(f"last line of the build: {fingerprint(own[-1].raw)}")
    return Cause(
        "build_timeout",
        STATED,
        "The build takes longer than it may; the release before still serves.",
        shown(found),
        "Make the last step of the build log not wait (no prompts, no watch mode, no tests), then"
        " deploy again.",
        trial.deploy.created_at,
    )


KIND = Kind("build_timeout", "The build takes longer than it may", check, __doc__ or "", ("build_failed",))
