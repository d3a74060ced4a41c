"""Queues that a process speaks of in its log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from statistics import correlation, median
from typing import Final

from tools.render.diagnosing.evidence import Line
from tools.render.diagnosing.logs import alike

GAUGE: Final = re.compile(
    r"\b(queue(?:[_ -]?(?:size|depth|length|lag))?|backlog|pending|waiting|lag|depth|size)\b[\w"
    r" ]{0,20}?[=:( ]{1,3}"
    r"(\d{1,9})\b",
    re.IGNORECASE,
)
COUNTED: Final = re.compile(
    r"\b(\d{1,9}) (?:\w{1,20} ){0,2}?(waiting|pending|queued|enqueued|behind|in (?:the )?queue|backlog)\b",
    re.IGNORECASE,
)


def growth(lines: Sequence[Line]) -> tuple[str, float, float, datetime] | None:
    """The gauge that grew most: its name, former and present value, and since when it grows.

    Lines of one wording are one series: a second process may count another queue under the same name.
    """
    series: dict[tuple[str, str], list[tuple[datetime, float]]] = {}
    for text, group in alike(lines).items():
        for line in group:
            raw = line.raw[:2_000]
            for name, value in (*GAUGE.findall(raw), *((n, v) for v, n in COUNTED.findall(raw))):
                series.setdefault((name.lower(), text), []).append((line.at, float(value)))
    found: list[tuple[str, float, float, datetime]] = []
    for (name, _), points in series.items():
        if len(points) < 4:
            continue
        quarter = max(2, len(points) // 4)
        first, last = median(v for _, v in points[:quarter]), median(v for _, v in points[-quarter:])
        values = [value for _, value in points]
        steady = max(values) > min(values) and correlation(range(len(values)), values) > 0.9
        if last - first >= 50 and last > (1.25 if steady else 3) * max(1.0, first):
            begin = next(at for at, value in points if value > first + (last - first) * 0.1)
            found.append((name, first, last, begin))
    return max(found, key=lambda each: each[2] / max(1.0, each[1]), default=None)
