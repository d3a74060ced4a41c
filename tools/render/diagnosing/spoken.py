"""Causes that a process states in its log: which lines match, how much of the trouble they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import SAID, often
from tools.render.diagnosing.evidence import Said, Snapshot
from tools.render.diagnosing.logs import alike


@dataclass(frozen=True, slots=True)
class Heard:
    """Lines of the log that match a pattern."""

    count: int
    share: float
    """Of all warnings and errors that have risen."""
    since: datetime
    until: datetime
    texts: tuple[str, ...]
    raws: tuple[str, ...]
    bad: bool
    """Whether any of them is an error rather than a warning."""

    @property
    def evidence(self) -> tuple[str, ...]:
        """The most frequent ones with their numbers."""
        return self.texts[:2]

    def score(self, base: float = SAID) -> float:
        """From `base` - 15 to `base` + 12: what makes up most of the trouble is its cause."""
        return base - 15 + 27 * self.share - (0 if self.bad else 5)


def pattern(*alternatives: str) -> re.Pattern[str]:
    """One pattern of several, blind to case."""
    return re.compile("|".join(f"(?:{each})" for each in alternatives), re.IGNORECASE)


def heard(
    snapshot: Snapshot, wanted: re.Pattern[str], *, unless: re.Pattern[str] | None = None
) -> Heard | None:
    """What the running service says of it: its log, its last words, and lines without a level."""
    risen = [s for s in snapshot.said if s.risen]
    found = [s for s in [*risen, *_unlevelled(snapshot)] if _matches(s.raw, wanted, unless)]
    many = sum(s.count for s in found)
    if many < (1 if snapshot.kind == "cron_job" else 2):
        return None
    total = max(many, sum(s.count for s in risen) + sum(s.count for s in found if s not in risen))
    return Heard(
        many,
        many / total,
        min(s.first for s in found),
        max(s.last for s in found),
        tuple(f"log, {often(s.count)}: {s.text}" for s in sorted(found, key=lambda s: -s.count)),
        tuple(s.raw for s in found),
        any(s.level != "warning" for s in found),
    )


def mentioned(snapshot: Snapshot, wanted: re.Pattern[str]) -> tuple[str, ...]:
    """The latest lines of any level that match, whether or not they are new."""
    groups = alike(line for line in snapshot.recent if wanted.search(line.raw[:4_000]))
    return tuple(f"log, {often(len(group))}: {text}" for text, group in groups.items())


def tried(
    snapshot: Snapshot,
    wanted: re.Pattern[str],
    steps: Sequence[str],
    *,
    unless: re.Pattern[str] | None = None,
) -> tuple[str, ...]:
    """What the latest failed deploy wrote of it, in these steps."""
    trial = snapshot.trial
    if trial is None or trial.step not in steps:
        return ()
    return tuple(
        f"deploy log: {fingerprint(line.raw)}" for line in trial.lines if _matches(line.raw, wanted, unless)
    )


def _matches(text: str, wanted: re.Pattern[str], unless: re.Pattern[str] | None) -> bool:
    text = text[:4_000]
    return wanted.search(text) is not None and (unless is None or unless.search(text) is None)


_TROUBLE = pattern(
    r"\berror\b", r"exception", r"\bfatal\b", r"\bpanic\b", r"traceback", r"refused", r"timed ?out",
    r"\bfailed\b",
)  # fmt: skip


def _unlevelled(snapshot: Snapshot) -> list[Said]:
    """Lines of trouble among the latest ones that carry no level of trouble."""
    groups = alike(x for x in snapshot.recent if x.level in ("", "info") and _TROUBLE.search(x.raw[:4_000]))
    known = {s.text for s in snapshot.said}
    return [
        Said(text, g[-1].raw, "info", len(g), g[0].at, g[-1].at, float(len(g)), 0.0)
        for text, g in groups.items()
        if text not in known
    ]
