"""The new instance is not ready in time.

What it is
    The process works, but what it does before it answers (loading a model, warming a cache, waiting for
    another service) takes longer than Render waits, or longer than a health check may take.

How it shows
    The latest deploy is update_failed by a time-out, or as unhealthy without an answer, and the process
    neither crashed nor listened on a wrong port.

Next step
    Answer the health check first and load afterwards, or load less. The release before still serves.
"""

from __future__ import annotations

import re

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import SAID, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import pattern, tried

_SILENT = re.compile(r"time|connection|refused|deadline|no response|not ready|503", re.IGNORECASE)
WORDS = pattern(
    r"timed out after waiting for internal health check", r"waiting for (?:internal )?health ?check",
    r"warming", r"loading .{0,80}(?:memory|model|cache|index)", r"still (?:loading|starting|warming)",
    r"preloading",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """Only for a deploy that did not come up, and did not crash."""
    trial = snapshot.trial
    if trial is None or trial.step != "update" or trial.reason.get("nonZeroExit"):
        return None
    sick, late = str(trial.reason.get("unhealthy", "")), trial.reason.get("timedOutSeconds")
    found = tried(snapshot, WORDS, ("update",))
    if not late and not (sick and _SILENT.search(sick)) and not found:
        return None
    evidence = [f"event: {fingerprint(sick)}"] if sick else []
    evidence += [f"event: timed out after {late} s"] if late else []
    own = [line for line in trial.lines if not line.raw.startswith("==>")]
    last = [f"last line: {fingerprint(own[-1].raw)}"] if own else []
    return Cause(
        "slow_start",
        SAID + (8 if found else 0),
        "The new instance runs, but is not ready in time; the release before still serves.",
        shown([*evidence, *found[:2], *last]),
        "Let the process answer the health check before it loads; compare the start times in read_logs.",
        trial.deploy.created_at,
    )


KIND = Kind("slow_start", "The new instance is not ready in time", check, __doc__ or "")
