"""What a tool's result measures: named problems, or a time. Read from its shape, so that every tool counts.

findings [{rule, object}]      a review, of any domain
proof.leaks [{kind, object}]   a proof of isolation
execution_ms                   a plan that was run
exit_code                      a program
error {code, message}          a read that failed; the same read without one measures that it works
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from tools.registry import Effect


@dataclass(frozen=True, slots=True)
class Step:
    """One finished call. `result` is its redacted result as JSON values, or {"error": {...}}."""

    tool: str
    domain: str
    effect: Effect
    arguments: Mapping[str, Any]
    ok: bool
    result: Mapping[str, Any]

    @property
    def changed(self) -> bool:
        """Whether it changed something."""
        return self.ok and self.effect is not Effect.READ and self.domain != "recall"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong. `object` is empty where it is the call itself that fails."""

    object: str
    rule: str
    words: str = field(compare=False)
    detail: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Measure:
    """What one call measured; two are compared when name and `same` are equal.

    `only` are the rules that it was limited to, none for all of them. `aimed`: it was run to see about
    certain problems, so that one which is still there speaks against a change in between. `cost` is the
    planner's.
    """

    name: str
    domain: str
    same: str
    problems: frozenset[Problem] = frozenset()
    only: frozenset[str] = frozenset()
    aimed: bool = False
    milliseconds: float | None = None
    cost: float | None = None

    def comparable(self, other: Measure) -> bool:
        """Whether `other` measured the same thing."""
        timed = (self.milliseconds is None) == (other.milliseconds is None)
        return self.name == other.name and self.same == other.same and timed

    def covers(self, problem: Problem) -> bool:
        """Whether it would have seen this problem."""
        return not self.only or problem.rule in self.only

    def clear_of(self, problem: Problem) -> bool:
        """Whether it looked, and the problem was not there; a call that fails in another way still fails."""
        if not problem.object:
            return not self.problems
        return self.covers(problem) and problem not in self.problems


_EXIT: Final = "exit code"


def measured(step: Step) -> Measure | None:
    """What the call measured, or None: most results measure nothing."""
    result, error = step.result, step.result.get("error")
    if step.domain == "recall":
        return None
    if isinstance(code := result.get("exit_code"), int):
        words = f"`{step.arguments.get('command', step.tool)}` ended with exit code {code}"
        problems = frozenset({Problem("", _EXIT, words)} if code else ())
        return Measure(step.tool, step.domain, _same(step), problems, aimed=True)
    if step.effect is not Effect.READ:
        return None
    if isinstance(error, dict):
        return _failure(step, cast("dict[str, Any]", error))
    if isinstance(findings := result.get("findings"), list):
        return _review(step, cast("list[dict[str, Any]]", findings))
    if isinstance(proof := result.get("proof"), dict):
        return _proof(step, cast("dict[str, Any]", proof))
    if isinstance(took := result.get("execution_ms"), int | float):
        cost = result.get("total_cost")
        known = float(cost) if isinstance(cost, int | float) else None
        return Measure(step.tool, step.domain, _same(step), milliseconds=took, cost=known)
    return Measure(step.tool, step.domain, _same(step), aimed=True)


def _review(step: Step, findings: list[dict[str, Any]]) -> Measure:
    problems = frozenset(
        Problem(
            str(one.get("object", "")),
            str(one.get("rule", "")),
            f"{one.get('rule')} on {one.get('object')}",
            str(one.get("message", "")),
        )
        for one in findings
    )
    only = frozenset(str(rule) for rule in step.arguments.get("only") or ())
    return Measure(step.tool, step.domain, _same(step, "only"), problems, only, aimed=bool(only))


def _proof(step: Step, proof: Mapping[str, Any]) -> Measure:
    leaks: list[dict[str, Any]] = [*proof.get("leaks", ()), *proof.get("denied", ())]
    problems = frozenset(
        Problem(
            str(one.get("object", "")),
            str(one.get("kind", "leak")),
            f"{one.get('kind', 'leak')} through {one.get('object')}",
            str(one.get("sentence", "")),
        )
        for one in leaks
    )
    return Measure(step.tool, step.domain, _same(step, "show", "seed"), problems, aimed=True)


def _failure(step: Step, error: Mapping[str, Any]) -> Measure | None:
    code = str(error.get("code") or "")
    if not code:
        return None  # a slip in the arguments, which says nothing about the target
    problem = Problem("", code, f"{step.tool} failed: {error.get('message', '')} [{code}]")
    return Measure(step.tool, step.domain, _same(step), frozenset({problem}), aimed=True)


def _same(step: Step, *leaving_out: str) -> str:
    """The arguments that decide what is measured."""
    kept = {
        key: value
        for key, value in step.arguments.items()
        if key not in leaving_out and value not in ([], "", None)
    }
    return json.dumps(kept, sort_keys=True, default=str)
