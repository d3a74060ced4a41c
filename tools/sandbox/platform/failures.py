"""The reasons that Render's events give for a failure, in the form of `server_failed.details.reason`."""

from __future__ import annotations

from tools.sandbox.platform.shapes import Json


def out_of_memory(limit: str) -> Json:
    """Killed by the kernel at the memory limit of the plan, for instance 2Gi."""
    return {"evicted": False, "oomKilled": {"memoryLimit": limit}}


def exited(code: int) -> Json:
    """The process ended with this code."""
    return {"evicted": False, "nonZeroExit": code}


def exited_early() -> Json:
    """The process ended with code 0 although it should have gone on."""
    return {"evicted": False, "earlyExit": True}


def unhealthy(text: str) -> Json:
    """The health check failed; the text says how."""
    return {"evicted": False, "unhealthy": text}


def evicted() -> Json:
    """The instance had to leave its machine."""
    return {"evicted": True}


def timed_out(seconds: int, why: str) -> Json:
    """It took longer than it may."""
    return {"evicted": False, "timedOutSeconds": seconds, "timedOutReason": why}
