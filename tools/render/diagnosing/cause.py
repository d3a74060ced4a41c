"""A cause, and the words in which its file states it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tools.render.diagnosing.evidence import Snapshot

STATED: Final = 95
"""The platform itself says so."""
SAID: Final = 80
"""The process says so, in words that have one meaning."""
MEASURED: Final = 70
"""Numbers show it."""
COINCIDES: Final = 50
"""It happened right before."""
RISK: Final = 25
"""A setting that could bring it, without a sign that it did."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause of what is wrong. `score` is from 0 to 100; the constants above are its steps."""

    name: str
    score: float
    summary: str
    """What happens, in one sentence about this service."""
    evidence: tuple[str, ...]
    next_step: str
    """A tool call, or what a person does."""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of cause. `brings` names kinds that it brings about: they rank below it when both are found.

    `doc` is its module's docstring: What it is / How it shows / Next step.
    """

    name: str
    title: str
    check: Callable[[Snapshot], Cause | None]
    doc: str
    brings: tuple[str, ...] = ()


def shown(lines: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The first few different lines of evidence."""
    return tuple(dict.fromkeys(line for line in lines if line))[:most]


def often(count: int) -> str:
    """`once`, `7 times`."""
    return "once" if count == 1 else f"{count} times"


def clock(moment: datetime | None) -> str:
    """A time of day in UTC, with the day where it matters to nobody which: `24 Nov 14:05`."""
    return moment.strftime("%d %b %H:%M") if moment else "?"
