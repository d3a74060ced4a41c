"""The code does not build.

What it is
    A compiler, linter, bundler or test of the build says no: nothing that Render or a registry did.

How it shows
    The latest deploy is build_failed, with the compiler's words, or without a better reason.

Next step
    Build the same commit locally from a clean checkout. The release before still serves.
"""

from __future__ import annotations

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import MEASURED, SAID, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import pattern, tried

WORDS = pattern(
    r"error ts\d+", r"syntaxerror", r"type error:", r"failed to compile", r"compilation failed",
    r"parse error", r"command \"?build\"? (?:exited|failed)", r"\btests? failed", r"build error occurred",
    r"undefined: \w+", r"error\[e\d{4}\]", r"pipeline minutes",
)  # fmt: skip
_OWN = pattern(r"^==>")


def check(snapshot: Snapshot) -> Cause | None:
    """Any failed build; the other causes of a failed build rank above."""
    trial = snapshot.trial
    if trial is None or trial.step != "build":
        return None
    found = tried(snapshot, WORDS, ("build",))
    last = [f"build log: {fingerprint(x.raw)}" for x in trial.lines if not _OWN.search(x.raw)][-2:]
    exhausted = snapshot.of_type("pipeline_minutes_exhausted")
    if exhausted:
        found = ("event: the workspace's pipeline minutes are used up", *found)
    return Cause(
        "build_failed",
        SAID if found else MEASURED - 15,
        "The code does not build; the release before still serves.",
        shown(found or last),
        "Build the same commit locally from a clean checkout, mend it and push.",
        trial.deploy.created_at,
    )


KIND = Kind("build_failed", "The code does not build", check, __doc__ or "")
