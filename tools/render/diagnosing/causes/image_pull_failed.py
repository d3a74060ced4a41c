"""The image cannot be pulled.

What it is
    The tag does not exist (any more), the registry refuses the login, or limits or outages of the registry.

How it shows
    An image_pull_failed event, or "failed to pull image" in the log of the latest deploy.

Next step
    Check the tag and the registry credential. The release before still serves.
"""

from __future__ import annotations

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import STATED, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import pattern, tried

WORDS = pattern(
    r"failed to pull image", r"manifest unknown", r"pull access denied", r"errimagepull",
    r"imagepullbackoff", r"image not found", r"toomanyrequests: you have reached",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """For the latest deploy."""
    trial = snapshot.trial
    if trial is None:
        return None
    start = trial.deploy.created_at or snapshot.since
    events = snapshot.of_type("image_pull_failed", since=start)
    found = [f"event: {fingerprint(str(e.details.get('message', 'image_pull_failed')))}" for e in events]
    found += tried(snapshot, WORDS, ("build", "update"))
    if not found:
        return None
    return Cause(
        "image_pull_failed",
        STATED,
        "The image cannot be pulled; the release before still serves.",
        shown(found),
        "Check that the tag exists and that the registry credential is valid, then deploy_service again.",
        trial.deploy.created_at,
    )


KIND = Kind("image_pull_failed", "The image cannot be pulled", check, __doc__ or "")
