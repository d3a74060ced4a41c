"""The process crashes while it runs.

What it is
    An error that nobody catches ends the process; Render starts it again.

How it shows
    server_failed with an exit code, and none of the other causes explains it.

Next step
    Read the trace before a failure; roll back if a release brought it.
"""

from __future__ import annotations

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import COINCIDES, Cause, Kind, often, shown
from tools.render.diagnosing.evidence import Snapshot, reason_of


def check(snapshot: Snapshot) -> Cause | None:
    """Failures with a code in the window."""
    ended = [e for e in snapshot.failed_with("nonZeroExit") if e.type == "server_failed"]
    if not ended:
        return None
    codes = sorted({str(reason_of(e)["nonZeroExit"]) for e in ended})
    words = [
        f"last words: {fingerprint(x.raw)}"
        for _, lines in snapshot.last_words
        for x in lines
        if x.level == "error"
    ]
    times = [e.timestamp for e in ended if e.timestamp]
    return Cause(
        "process_crashes",
        COINCIDES + 8,
        "The process crashes and is started again.",
        shown([f"event, {often(len(ended))}: exit code {', '.join(codes)}", *words]),
        "read_logs around one failure for the trace; rollback_service if a release brought it.",
        min(times, default=None),
        max(times, default=None),
    )


KIND = Kind("process_crashes", "The process crashes while it runs", check, __doc__ or "", ("deploy_errors",))
