"""What a deploy or a rollback came to: typed, compact, the same for a model, a person and a program."""

from __future__ import annotations

from typing import Literal

from tools.registry import Facts, Result
from tools.render.deploying.checks import Check
from tools.render.deploying.figures import Figures
from tools.render.deploying.journal import Step

Verdict = Literal[
    "live_verified", "live_inconclusive", "regressed_rolled_back", "regressed_waiting",
    "failed_build", "failed_pre_deploy", "failed_update", "canceled", "unknown",
]  # fmt: skip
BackVerdict = Literal["back_verified", "back_inconclusive", "no_better", "failed", "unknown"]

_SAID = {
    "live_verified": "is live, and as good as the release before",
    "live_inconclusive": "is live, and nobody can say yet whether it is good",
    "regressed_rolled_back": "went live and was bad; the release before serves again",
    "regressed_waiting": "is live and BAD; a person must decide",
    "failed_build": "was not built; the release before still serves",
    "failed_pre_deploy": "failed before it went live; the release before still serves",
    "failed_update": "did not come up; the release before still serves",
    "canceled": "was canceled",
    "unknown": "could not be followed to its end",
    "back_verified": "is back at the earlier release, and the figures are good",
    "back_inconclusive": "is back at the earlier release; whether that helped cannot be told yet",
    "no_better": "is back at the earlier release and still bad: the release was not the cause",
    "failed": "was not rolled back",
}


class _Told(Result):
    """What both have in common."""

    service: str
    deploy: str
    revision: str
    previous: str
    reasons: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    before: Figures | None = None
    regressed: Figures | None = None
    after: Figures | None = None
    checks: tuple[Check, ...] = ()
    steps: tuple[Step, ...] = ()
    not_undone: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    record: str = ""

    def audit_facts(self) -> Facts:
        """No figure of rows: what ran is in the audit log by its arguments."""
        return Facts()

    def _lines(self, verdict: str) -> str:
        head = (
            f"**{verdict}**: {self.service} ({self.revision}, {self.deploy or 'no deploy'}) {_SAID[verdict]}."
        )
        lines = [head, f"Before it: {self.previous}."]
        lines += [f"- {reason}" for reason in self.reasons]
        lines += [f"  - log: `{text}`" for text in self.evidence]
        if self.before is not None and (self.after is not None or verdict.startswith("live")):
            lines += ["", *_table(self.before, self.regressed, self.after)]
        lines += [f"Watch: {caution}." for caution in self.cautions]
        weak = [check for check in self.checks if check.level != "ok"]
        lines += [f"Preflight {check.level}: {check.name}: {check.said}" for check in weak]
        blind = [
            f"{check.name} ({check.said.partition(': ')[2]})" for check in self.checks if not check.examined
        ]
        lines += [f"Not examined: {'; '.join(blind)}."] if blind else []
        if self.steps:
            lines += [
                "",
                "Steps: " + "; ".join(f"{step.at:%H:%M:%S} {step.what}" for step in _few(self.steps)),
            ]
        if self.not_undone:
            lines += ["", "A rollback does not undo: " + "; ".join(self.not_undone) + "."]
        lines += ["", *(f"Next: {step}" for step in self.next_steps)]
        return "\n".join([*lines, *(self.record,) * bool(self.record)]).strip()


class Deployed(_Told):
    """The answer of deploy_service."""

    verdict: Verdict

    def markdown(self) -> str:
        """About thirty lines."""
        return self._lines(self.verdict)


class RolledBack(_Told):
    """The answer of rollback_service."""

    verdict: BackVerdict

    def markdown(self) -> str:
        """About thirty lines."""
        return self._lines(self.verdict)


def _few(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return steps if len(steps) <= 16 else (*steps[:6], *steps[-10:])


def _table(before: Figures, bad: Figures | None, after: Figures | None) -> list[str]:
    """The figures side by side; those of a bad release in the middle, where it was taken back."""
    columns = [("before", before), *([("bad release", bad)] if bad else []), ("after", after)]
    lines = [f"| figure | {' | '.join(name for name, _ in columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, show in _ROWS.items():
        shown = [show(figures) if figures is not None else "-" for _, figures in columns]
        if set(shown) != {"-"}:
            lines.append(f"| {name} | {' | '.join(shown)} |")
    missing = sorted({name for _, figures in columns if figures for name in figures.missing})
    return [*lines, *([f"Not measured: {', '.join(missing)}."] if missing else [])]


def _window(figures: Figures) -> str:
    return f"{figures.start:%H:%M} to {figures.end:%H:%M}"


def _share(figures: Figures) -> str:
    return "-" if figures.share is None else f"{figures.share:.2%} of {figures.requests}"


def _p95(figures: Figures) -> str:
    return "-" if figures.p95_ms is None else f"{figures.p95_ms:.0f} ms"


def _memory(figures: Figures) -> str:
    if figures.memory_peak is None:
        return "-"
    full = f" ({figures.fullness:.0%})" if figures.fullness is not None else ""
    return f"{figures.memory_peak / 1e6:.0f} MB{full}"


def _failures(figures: Figures) -> str:
    return "-" if figures.failures is None else str(len(figures.failures))


def _errors(figures: Figures) -> str:
    if figures.error_lines is None:
        return "-"
    more = "more than " * figures.cut
    return f"{more}{figures.error_lines} ({len(figures.errors or ())} kinds)"


_ROWS = {
    "window (UTC)": _window,
    "5xx": _share,
    "p95": _p95,
    "memory peak": _memory,
    "failed instances": _failures,
    "error lines": _errors,
}


def figures_in_words(before: Figures | None, after: Figures | None) -> str:
    """Both windows in one line, for the memory bank."""
    if before is None or after is None:
        return ""
    pairs = ((name, show(before), show(after)) for name, show in _ROWS.items() if name != "window (UTC)")
    return "; ".join(f"{name} {then} -> {now}" for name, then, now in pairs if (then, now) != ("-", "-"))
