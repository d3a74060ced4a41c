"""A release brought errors.

What it is
    The code that went live answers requests, or does jobs, with errors of its own.

How it shows
    5xx or new exceptions begin when a deploy goes live, and no better cause explains them.

Next step
    rollback_service to the release before (with automatic deploys off first), then mend the code.
"""

from __future__ import annotations

from datetime import timedelta

from tools.render.diagnosing.cause import MEASURED, Cause, Kind, clock, often, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import heard, pattern
from tools.render.diagnosing.symptoms import failing
from tools.wording import percent

CODE = pattern(
    r"typeerror", r"referenceerror", r"rangeerror", r"attributeerror", r"nomethoderror", r"nameerror",
    r"keyerror", r"valueerror", r"indexerror", r"cannot read propert", r"is not a function",
    r"is not defined", r"undefined method", r"nil pointer dereference", r"nullpointerexception",
    r"index out of range", r"unhandled(?: promise)? ?rejection", r"uncaught", r"assertionerror",
    r"zerodivisionerror", r"unexpected token", r"schema validation", r"column .{0,80} does not exist",
    r"relation .{0,80} does not exist", r"null value in column", r"argumenterror", r"traceback",
    r"\bpanic\b", r"invalid input syntax", r"deserializ", r"unmarshal", r"zoderror", r"validationerror",
    r"cannot destructure",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """Errors that begin with a release."""
    bad, code = failing(snapshot), heard(snapshot, CODE)
    errors = [s for s in snapshot.said if s.risen and s.level != "warning" and s.count >= 3]
    first = bad.start if bad else code.since if code else min((s.first for s in errors), default=None)
    release = snapshot.released_before(first, timedelta(minutes=20))
    if release is None or (bad is None and code is None and not errors):
        return None
    at, deploy = release
    commit = deploy.commit.id[:7] if deploy.commit else ""
    said = code.evidence[:1] if code else tuple(f"log, {often(s.count)}: {s.text}" for s in errors[:1])
    score = MEASURED + (code.share * 22 if code else 0) + (4 if bad else 0)
    return Cause(
        "deploy_errors",
        score,
        f"The release of {clock(at)} answers with errors of its own.",
        shown([
            f"5xx at {percent(bad.level)} since {clock(bad.start)} (usual"
            f" {percent(bad.usual)})" if bad else "",
            f"deploy {deploy.id}{f' ({commit})' if commit else ''} went live {clock(at)}",
            *said,
        ], 4),
        "rollback_service to the release before (automatic deploys off first), then mend the code.",
        first,
    )  # fmt: skip


KIND = Kind("deploy_errors", "A release brought errors", check, __doc__ or "", ("process_crashes",))
