"""The judgement alone: what is worse, what is not told, and what chance can do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.render.deploying.figures import Figures
from tools.render.deploying.verdict import MIN_REQUESTS, Health, judge

NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "requests": 6_000, "failed": 6, "p95_ms": 180.0, "latencies": (180.0,) * 6, "memory_peak": 600e6,
    "memory_limit": 2e9, "memory_per_hour": 0.0, "failures": (), "errors": {}, "error_lines": 0,
    "error_rate": 0.0, "lines": 60, "line_rate": 4.0,
}  # fmt: skip


def figures(minutes: float = 15, **changes: Any) -> Figures:
    """A quiet quarter of an hour, changed."""
    return Figures.model_validate(
        {"start": NOON, "end": NOON + timedelta(minutes=minutes), **GOOD, **changes}
    )


BEFORE = figures()
HEALTHY = Health(True, 12, 0, 0, 200)


@pytest.mark.parametrize(
    ("kind", "changes", "word", "said"),
    [
        ("web_service", {}, "good", ""),
        ("web_service", {"requests": 2_000, "failed": 100}, "regressed", "5xx 5.00%"),
        ("web_service", {"requests": 40, "failed": 30}, "regressed", "5xx 75.00%"),
        ("web_service", {"requests": 40, "failed": 0}, "inconclusive", "only 40 requests"),
        (
            "web_service",
            {"requests": 0, "failed": 0, "p95_ms": None, "latencies": ()},
            "inconclusive",
            "only 0",
        ),
        ("web_service", {"requests": 300, "failed": 4}, "inconclusive", "too few to be sure"),
        ("web_service", {"requests": 2_000, "failed": 3}, "good", ""),
        ("web_service", {"requests": None, "failed": None}, "inconclusive", "requests could not be read"),
        ("web_service", {"p95_ms": 500.0, "latencies": (500.0,) * 5}, "regressed", "p95 500 ms"),
        ("web_service", {"p95_ms": 500.0, "latencies": (500.0,)}, "inconclusive", "too few readings"),
        ("web_service", {"p95_ms": 260.0, "latencies": (260.0,) * 5}, "good", ""),
        ("web_service", {"memory_peak": 1.9e9}, "regressed", "95% of the limit"),
        ("web_service", {"memory_peak": 1.6e9}, "regressed", "memory rose to 80%"),
        ("web_service", {"memory_peak": None}, "inconclusive", "memory could not be read"),
        ("web_service", {"failures": ("out of memory (limit 2Gi)",)}, "regressed", "1 instance failed"),
        ("web_service", {"failures": None}, "inconclusive", "whether instances failed"),
        (
            "web_service",
            {"errors": {"TypeError": 30}, "error_lines": 30, "error_rate": 2},
            "inconclusive",
            "new errors",
        ),
        ("background_worker", {}, "good", ""),
        (
            "background_worker",
            {"errors": {"TypeError": 30}, "error_lines": 30, "error_rate": 2},
            "regressed",
            "new errors",
        ),
        ("background_worker", {"lines": 4}, "inconclusive", "only 4 log lines"),
        ("background_worker", {"lines": 12, "line_rate": 0.8}, "inconclusive", "it may do less"),
        ("background_worker", {"lines": None}, "inconclusive", "its log could not be read"),
        ("background_worker", {"errors": {"TypeError": 3}, "error_lines": 3}, "good", ""),
    ],
)
def test_one_change_one_word(kind: str, changes: dict[str, Any], word: str, said: str):
    judged = judge(BEFORE, figures(**changes), kind, HEALTHY)
    assert judged.word == word, judged
    assert said in " ".join((*judged.regressions, *judged.doubts))


def test_what_was_bad_before_is_not_the_release():
    bad: dict[str, Any] = {
        "requests": 2_000,
        "failed": 100,
        "failures": ("exited with code 1",),
        "memory_peak": 1.9e9,
    }
    judged = judge(figures(**bad), figures(**bad), "web_service", HEALTHY)
    assert judged.word == "good" and len(judged.cautions) == 2


def test_a_leak_that_fills_memory_in_some_hours_is_to_be_watched():
    judged = judge(BEFORE, figures(memory_per_hour=400e6), "web_service", HEALTHY)
    assert judged.word == "good" and "full in about 3.5 h" in judged.cautions[0]


@pytest.mark.parametrize(
    ("health", "word"),
    [
        (Health(True, 5, 3, 3, 502), "regressed"),
        (Health(True, 5, 3, 3, 0), "regressed"),
        (Health(True, 9, 1, 0, 200), "inconclusive"),
        (Health(), "good"),
    ],
)
def test_health_from_outside(health: Health, word: str):
    assert judge(BEFORE, figures(), "web_service", health).word == word


@given(st.integers(0, 3_000), st.integers(0, 3_000))
def test_more_failures_never_look_better_and_few_requests_are_never_called_good(requests: int, failed: int):
    failed = min(failed, requests)
    rank = {"good": 0, "inconclusive": 1, "regressed": 2}
    judged = judge(BEFORE, figures(requests=requests, failed=failed), "web_service", HEALTHY)
    if failed < requests:
        worse = judge(BEFORE, figures(requests=requests, failed=failed + 1), "web_service", HEALTHY)
        assert rank[worse.word] >= rank[judged.word]
    if requests < MIN_REQUESTS:
        assert judged.word != "good"
    if failed == 0:
        assert judged.word != "regressed"
