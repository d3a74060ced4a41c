"""The runs of a cron job end with an error.

What it is
    The command of the job ends with another code than 0, and none of the other causes explains it.

How it shows
    Runs that ended unsuccessfully with an exit code.

Next step
    Read the log of one run; run_job tries the mended version once.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import COINCIDES, Cause, Kind, often, shown
from tools.render.diagnosing.evidence import Snapshot, reason_of


def check(snapshot: Snapshot) -> Cause | None:
    """Unsuccessful runs in the window."""
    ended = snapshot.of_type("cron_job_run_ended")
    bad = [e for e in ended if reason_of(e) or e.details.get("status") in ("unsuccessful", "failed")]
    if not bad:
        return None
    codes = sorted({str(reason_of(e)["nonZeroExit"]) for e in bad if reason_of(e).get("nonZeroExit")})
    said = [f"log, {often(s.count)}: {s.text}" for s in snapshot.said if s.risen and s.level != "warning"][:2]
    many = f"event: {len(bad)} of {len(ended)} runs failed" + (
        f" (exit code {', '.join(codes)})" if codes else ""
    )
    return Cause(
        "run_failed",
        COINCIDES + 8,
        "Its runs end with an error.",
        shown([many, *said]),
        "read_logs of one run; run_job tries the mended version once.",
        bad[-1].timestamp,
    )


KIND = Kind("run_failed", "The runs of a cron job end with an error", check, __doc__ or "")
