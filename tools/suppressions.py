"""Findings that a person decided to live with: which are left out, and which decisions have ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from tools.findings import Finding
from tools.resources import Suppression


def suppresses(suppression: Suppression, finding: Finding) -> bool:
    """Whether a decision is about this finding: its rule, and its object, cache key or all."""
    return suppression.rule == finding.rule and suppression.object in ("*", finding.object, finding.cache_key)


def sift(
    findings: Iterable[Finding], suppressions: Sequence[Suppression], today: date | None = None
) -> tuple[list[Finding], int]:
    """The findings to report, and how many are suppressed. Where a decision's `until` is past, the finding
    counts again and says so. Without a day, no decision ends."""
    kept: list[Finding] = []
    dropped = 0
    for finding in findings:
        about = [one for one in suppressions if suppresses(one, finding)]
        if any(_holds(one, today) for one in about):
            dropped += 1
        else:
            kept.append(_said(finding, about))
    return kept, dropped


def _holds(suppression: Suppression, today: date | None) -> bool:
    return suppression.until is None or today is None or today <= suppression.until


def _said(finding: Finding, ended: Sequence[Suppression]) -> Finding:
    if not ended:
        return finding
    latest = max(ended, key=lambda one: one.until or date.min)
    note = f"It was suppressed until {latest.until} ({latest.reason.strip().rstrip('.')})."
    return finding.model_copy(update={"evidence": f"{finding.evidence}\n{note}".strip()})
