"""Render's reasons of a failure (`details.reason`) in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast


def failure_words(reason: Mapping[str, Any]) -> str:
    """Why an instance or a step failed. Texts of the process itself are not repeated."""
    found = _inner(reason)
    if killed := found.get("oomKilled"):
        limit = cast("Mapping[str, Any]", killed).get("memoryLimit") if isinstance(killed, Mapping) else ""
        return f"out of memory (limit {limit})" if limit else "out of memory"
    if found.get("timedOutSeconds"):
        return f"timed out after {found['timedOutSeconds']} s"
    if isinstance(text := found.get("unhealthy"), str) and text:
        return f"unhealthy: {text[:120]}"
    if (code := found.get("nonZeroExit")) is not None:
        return f"exited with code {code}"
    if found.get("earlyExit"):
        return "exited although it should go on running"
    return "evicted from its machine" if found.get("evicted") else "for an unknown reason"


def is_ours(reason: Mapping[str, Any]) -> bool:
    """Whether the release may have caused it: an eviction alone is the platform's doing."""
    found = _inner(reason)
    causes = ("oomKilled", "timedOutSeconds", "unhealthy", "nonZeroExit", "earlyExit")
    return not found.get("evicted") or any(found.get(cause) for cause in causes)


def _inner(reason: Mapping[str, Any]) -> Mapping[str, Any]:
    failure = reason.get("failure")
    return cast("Mapping[str, Any]", failure) if isinstance(failure, Mapping) else reason
