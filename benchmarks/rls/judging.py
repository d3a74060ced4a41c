"""Whether what a contender says about a mutant is new, and whether it names what was changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.rls.contenders import Answer, Named
from benchmarks.rls.mutant import Mutant


@dataclass(frozen=True, slots=True)
class Score:
    """One contender, one mutant. `right`: a new finding names the object; `anywhere`: there is one."""

    right: bool
    anywhere: bool
    alarms: int
    seconds: float
    trouble: str = ""


def score(mutant: Mutant, clean: Answer, answer: Answer) -> Score:
    """Held against what the same contender says about the clean schema.

    That legitimate access is refused is no kill of a leak, but a false alarm on a rewrite.
    """
    before = {one.key for one in clean.named}
    new = [one for one in answer.named if one.key not in before]
    wanted = {alias for name in mutant.objects for alias in aliases(name)}
    leaks = [one for one in new if not one.rule.startswith("denied ")]
    right = any(spelled(name) in wanted for one in leaks for name in one.objects)
    return Score(right, bool(leaks), _alarms(new), answer.seconds, answer.trouble)


def together(scores: Iterable[Score]) -> Score:
    """Several contenders as one: right when any of them is."""
    every = list(scores)
    return Score(
        any(s.right for s in every),
        any(s.anywhere for s in every),
        sum(s.alarms for s in every),
        sum(s.seconds for s in every),
        next((s.trouble for s in every if s.trouble), ""),
    )


def aliases(name: str) -> set[str]:
    """Spellings of one object that mean the same: a function with and without its arguments."""
    plain = spelled(name)
    return {plain, plain.split("(")[0]} if "(" in plain and not plain.startswith("policy ") else {plain}


def spelled(name: str) -> str:
    """Without quotes and differences in blanks."""
    return name.replace('"', "").replace(", ", ",").strip()


def _alarms(new: list[Named]) -> int:
    return sum(one.level in ("error", "warn", "warning") for one in new)
