"""One job breaks the worker again and again.

What it is
    A job that cannot be processed comes back after each failure: the worker takes it, fails or dies, and
    takes it again, while others wait.

How it shows
    The same job, message or file is named in the last words before several failures, or in most of the
    errors.

Next step
    Move that one job aside (dead-letter queue), let the rest go on, and mend the code for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from tools.logs.fingerprints import fingerprint
from tools.render.diagnosing.cause import STATED, Cause, Kind, shown
from tools.render.diagnosing.evidence import Line, Snapshot
from tools.render.diagnosing.spoken import pattern

NAMED: Final = re.compile(
    r"\b(?:job|jid|task|message|msg|document|doc|file|item|event|record|id|upload|key)(?:[ _-]?id)?["
    r" =:#\"'\[(]{1,4}(?=[\w./-]{0,60}\d)([\w][\w./-]{3,60})",
    re.IGNORECASE,
)
AGAIN: Final = pattern(
    r"stalled more than",
    r"max(?:imum)? (?:retries|attempts|receive)",
    r"attempt \d+",
    r"retry(?:ing)? \(?\d+",
    r"redeliver",
    r"attempts?[=: ]\d+",
    r"requeu",
    r"try \d+",
)


def check(snapshot: Snapshot) -> Cause | None:
    """The same name before three failures, or in most of the errors that repeat."""
    before = [_names(lines) for _, lines in snapshot.last_words]
    if len(before) >= 3:
        counts = Counter(name for names in before for name in names)
        often = [(name, n) for name, n in counts.most_common(3) if n >= max(3, len(before) * 0.7)]
        if often:
            line = next(x for _, lines in snapshot.last_words for x in lines if often[0][0] in x.raw)
            return _cause(
                STATED,
                (f"the same job before {often[0][1]} of {len(before)} failures: {fingerprint(line.raw)}",),
                snapshot,
            )
    bad = [
        line for line in snapshot.wrong if line.level not in ("warning",) or AGAIN.search(line.raw[:2_000])
    ]
    named = [(line, _names([line])) for line in bad]
    named = [(line, names) for line, names in named if names]
    counts = Counter(name for _, names in named for name in names)
    if not counts or len(named) < 6:
        return None
    name, many = counts.most_common(1)[0]
    again = [line for line, names in named if name in names]
    if many < 5 or many < 0.6 * len(named) or not any(AGAIN.search(line.raw[:2_000]) for line in again):
        return None
    return _cause(
        88, (f"log, {many} of {len(named)} errors are about one job: {fingerprint(again[-1].raw)}",), snapshot
    )


def _names(lines: Sequence[Line]) -> set[str]:
    return {name for line in lines for name in NAMED.findall(line.raw[:2_000])}


def _cause(score: float, evidence: tuple[str, ...], snapshot: Snapshot) -> Cause:
    times = [e.timestamp for e in snapshot.failures if e.timestamp]
    crashes = f"event, {len(times)} failures of instances" if times else ""
    return Cause(
        "poison_job",
        score,
        "One job fails again and again and holds up the rest.",
        shown([*evidence, crashes]),
        "Move that one job aside (read_logs raw names it), let the rest go on, and mend the code for it.",
        min(times, default=None),
    )


KIND = Kind(
    "poison_job",
    "One job breaks the worker again and again",
    check,
    __doc__ or "",
    ("process_crashes", "queue_backlog", "deploy_errors", "out_of_memory"),
)
