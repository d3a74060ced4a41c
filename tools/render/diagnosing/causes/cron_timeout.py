"""A cron job runs longer than it may.

What it is
    Render stops a run after twelve hours; a run that hangs, or has more and more to do, never ends well.

How it shows
    Runs that ended with timedOutSeconds.

Next step
    Work in batches with a deadline of its own; look at what the run waits for in its log.
"""

from __future__ import annotations

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import STATED, Cause, Kind, clock, shown
from tools.render.diagnosing.evidence import Snapshot, reason_of
from tools.render.diagnosing.spoken import heard, pattern


def check(snapshot: Snapshot) -> Cause | None:
    """Runs of the window."""
    late = [e for e in snapshot.failed_with("timedOutSeconds") if e.type != "server_failed"]
    if not late:
        return None
    seconds = reason_of(late[0])["timedOutSeconds"]
    said = heard(snapshot, pattern(r"time", r"slow", r"batch", r"remaining", r"waiting"))
    last = f"its last line: {fingerprint(snapshot.recent[-1].raw)}" if snapshot.recent else ""
    evidence = (
        f"event, {len(late)} runs: stopped after {seconds} s, the latest {clock(late[0].timestamp)}",
        said.texts[0] if said else last,
    )
    return Cause(
        "cron_timeout",
        STATED,
        "Its runs take longer than Render lets them.",
        shown(evidence),
        "Let a run work in batches with a deadline of its own; read_logs of one run shows where it stays.",
        late[-1].timestamp,
    )


KIND = Kind("cron_timeout", "A cron job runs longer than it may", check, __doc__ or "", ("run_failed",))
