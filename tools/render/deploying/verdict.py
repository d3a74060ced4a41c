"""Whether a release is worse than the one before: a pure judgement of two windows of figures.

    a regression that cannot be chance     ─▶ regressed
    else a figure missing, too few to tell ─▶ inconclusive, with what is in doubt
    else                                   ─▶ good, with what to keep an eye on

Shares are compared by Wilson's interval (95 %), so that three errors among ten requests are no proof, and no
error among ten requests is none either.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final, Literal

from tools.render.deploying.figures import Figures

Word = Literal["good", "regressed", "inconclusive"]
MIN_REQUESTS: Final = 150
"""With fewer, a share of errors up to 2.5 % could go unseen."""
MIN_LINES: Final = 10
"""Log lines by which a service without requests shows that it works."""
FEW_LINES: Final = 5
"""The same, where its usual rate is known and compared with."""
THIN: Final = 5
"""Minutes below which the time before says little."""
_MORE_ERRORS: Final = 0.005
_Z: Final = 1.96


@dataclass(frozen=True, slots=True)
class Health:
    """What the health checks from outside said; `examined` is False where there is no public address."""

    examined: bool = False
    passed: int = 0
    failed: int = 0
    failed_in_a_row: int = 0
    last_status: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """The word, and why: regressions, doubts, and what to watch."""

    word: Word
    regressions: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    def noting(self, other: Judgement) -> Judgement:
        """With the doubts and cautions of another one; what is in doubt is no longer good."""
        doubts, cautions = (*self.doubts, *other.doubts), (*self.cautions, *other.cautions)
        word: Word = "inconclusive" if self.word == "good" and doubts else self.word
        return Judgement(word, self.regressions, doubts, cautions)


def judge(before: Figures, after: Figures, kind: str, health: Health) -> Judgement:
    """Compare a release with the one before. `kind` is the type of the service."""
    found = _Found([], [], [])
    _judge_health(health, kind, found)
    _judge_failures(before, after, found)
    _judge_memory(before, after, found)
    if kind == "web_service":
        _judge_requests(before, after, found)
        _judge_latency(before, after, found)
    else:
        _judge_activity(before, after, found)
    _judge_errors(before, after, kind, found)
    if before.minutes < THIN:
        found.cautions.append(f"the time before is only {before.minutes:.0f} min long")
    word: Word = "regressed" if found.regressions else "inconclusive" if found.doubts else "good"
    return Judgement(word, tuple(found.regressions), tuple(found.doubts), tuple(found.cautions))


@dataclass(frozen=True, slots=True)
class _Found:
    regressions: list[str]
    doubts: list[str]
    cautions: list[str]


def _judge_health(health: Health, kind: str, found: _Found) -> None:
    if not health.examined:
        return
    if health.failed_in_a_row >= 3:
        said = f"answered {health.last_status}" if health.last_status else "did not answer"
        found.regressions.append(
            f"the health check from outside {said}, {health.failed_in_a_row} times in a row"
        )
    elif health.failed:
        total = health.failed + health.passed
        found.doubts.append(f"{health.failed} of {total} health checks from outside failed")


def _judge_failures(before: Figures, after: Figures, found: _Found) -> None:
    if after.failures is None:
        found.doubts.append("whether instances failed could not be read")
        return
    if not after.failures:
        return
    said = f"{_times(len(after.failures), 'instance')} failed: {', '.join(dict.fromkeys(after.failures))}"
    known = len(before.failures or ())
    if not known or len(after.failures) / after.minutes > 2 * known / before.minutes:
        found.regressions.append(said if not known else f"{said} (more often than before)")
    else:
        found.cautions.append(f"{said}, as before")


def _judge_memory(before: Figures, after: Figures, found: _Found) -> None:
    now, then = after.fullness, before.fullness
    if now is None:
        found.doubts.append("memory could not be read")
        return
    grown = then is None or now > 1.25 * then
    if now >= 0.9 and (then is None or then < 0.9):
        found.regressions.append(f"memory is at {now:.0%} of the limit{_was(then)}")
    elif now >= 0.75 and grown:
        found.regressions.append(f"memory rose to {now:.0%} of the limit{_was(then)}")
    elif now >= 0.9:
        found.cautions.append(f"memory is at {now:.0%} of the limit, as before")
    elif then is not None and now > 1.5 * then:
        found.cautions.append(f"memory rose to {now:.0%} of the limit{_was(then)}")
    slope, limit, peak = after.memory_per_hour, after.memory_limit, after.memory_peak
    if slope and limit and peak and slope > max(0.02 * limit, 2 * abs(before.memory_per_hour or 0)):
        hours = (limit - peak) / slope
        if hours < 12:
            text = f"memory grows by {slope / 1e6:.0f} MB an hour: full in about {hours:.1f} h if it goes on"
            found.cautions.append(text)


def _was(share: float | None) -> str:
    return "" if share is None else f" (before {share:.0%})"


def _judge_requests(before: Figures, after: Figures, found: _Found) -> None:
    if after.requests is None or after.failed is None:
        found.doubts.append("requests could not be read")
        return
    usual = before.share or 0.0
    share = after.failed / after.requests if after.requests else 0.0
    told = f"5xx {share:.2%} of {after.requests} requests (before {_percent(before.share)})"
    if after.failed >= 5 and _lowest(after.failed, after.requests) > usual + _MORE_ERRORS:
        found.regressions.append(told)
        return
    if after.failed >= 3 and share > usual + _MORE_ERRORS:
        found.doubts.append(f"{told}: more than before, and too few to be sure")
    if after.requests < MIN_REQUESTS:
        found.doubts.append(
            f"only {after.requests} requests in {after.minutes:.0f} min: {MIN_REQUESTS} are needed to judge"
        )


def _judge_latency(before: Figures, after: Figures, found: _Found) -> None:
    if after.p95_ms is None or not after.requests:
        if after.requests:
            found.doubts.append("latency could not be read")
        return
    if not before.requests:
        found.cautions.append("nothing was asked of it before, so latency has nothing to be compared with")
        return
    if before.p95_ms is None:
        found.doubts.append("there is no latency from before to compare with")
        return
    allowed = max(1.5 * before.p95_ms, before.p95_ms + 100)
    if after.p95_ms <= allowed:
        return
    told = f"p95 {after.p95_ms:.0f} ms (before {before.p95_ms:.0f} ms)"
    above = sum(value > allowed for value in after.latencies)
    enough = len(after.latencies) >= 3 and after.requests >= MIN_REQUESTS
    if enough and above >= 0.75 * len(after.latencies):
        found.regressions.append(told)
    else:
        found.doubts.append(f"{told}: slower, and too few readings to be sure")


def _judge_activity(before: Figures, after: Figures, found: _Found) -> None:
    """A service without requests shows by its log that it works."""
    if after.lines is None:
        found.doubts.append("its log could not be read")
        return
    rate, usual = after.line_rate or 0.0, before.line_rate or 0.0
    if after.lines < (FEW_LINES if usual else MIN_LINES):
        found.doubts.append(
            f"only {after.lines} log lines in {after.minutes:.0f} min: it may not have worked yet"
        )
    elif usual and rate < 0.3 * usual:
        found.doubts.append(f"it writes {rate:.1f} log lines a minute, before {usual:.1f}: it may do less")


def _judge_errors(before: Figures, after: Figures, kind: str, found: _Found) -> None:
    if after.errors is None:
        found.doubts.append("error lines could not be read")
        return
    known = before.errors or {}
    new = {text: count for text, count in after.errors.items() if text not in known and count >= 3}
    often = {text: count for text, count in new.items() if count >= max(5, after.minutes)}
    lines, usual = after.error_lines or 0, before.error_rate or 0.0
    more = lines >= 10 and (after.error_rate or 0.0) > 3 * max(usual, 0.1)
    said = "; ".join(f"`{text}` {count} times" for text, count in list((often or new).items())[:3])
    if often or more:
        told = (
            f"new errors in the log: {said}" if said else f"{lines} error lines (before {usual:.1f} a minute)"
        )
        # A web service may log what it has dealt with: its answers decide, so here it only holds.
        # And where not all lines of before were read, an error only seems to be new.
        sure = kind != "web_service" and (more or not before.cut)
        (found.regressions if sure else found.doubts).append(told)
    elif new:
        found.cautions.append(f"new errors in the log: {said}")


def _lowest(part: int, whole: int) -> float:
    """The lower bound of Wilson's interval."""
    share, square = part / whole, _Z * _Z
    middle = share + square / (2 * whole)
    spread = _Z * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    return max(0.0, (middle - spread) / (1 + square / whole))


def _percent(share: float | None) -> str:
    return "not measured" if share is None else f"{share:.2%}"


def _times(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
