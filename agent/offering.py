"""When a person is asked whether a lesson may be kept: at the end of a turn, once, with the draft in full.

The question is the ordinary one of `remember`. Whatever the answer is, those calls are not offered again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from agent.approvals import Mode
from agent.executor import Executor, Outcome
from agent.lessons import draft
from agent.measures import Step
from memory import Draft
from tools.redaction import Redactor

_KEPT: Final = 120
"""Calls back to which a change is still compared."""

TOOL: Final = "remember"


class Lessons:
    """The calls of a conversation since the last lesson."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque(maxlen=_KEPT)

    def note(self, executor: Executor, name: str, arguments: Mapping[str, Any], outcome: Outcome) -> None:
        """A finished call. One that kept a lesson, or was refused to, settles what came before it."""
        tool = executor.catalogue.get(name)
        if tool is None:
            return
        refused = outcome.failure is not None and outcome.failure.kind == "refused"
        if name == TOOL:
            if outcome.ok or refused:
                self._steps.clear()
            return
        if not refused:
            self._steps.append(
                Step(name, tool.domain, tool.effect, arguments, outcome.ok, outcome.structured())
            )

    def offer(self, executor: Executor) -> Mapping[str, Any] | None:
        """Arguments of `remember` for what was measured, if there is somebody to ask. Asks once."""
        able = executor.approvals.mode is Mode.ACT and executor.approvals.asker is not None
        if not able or executor.resources.bank_or_none is None or TOOL not in executor.catalogue:
            return None
        lesson = draft(tuple(self._steps))
        if lesson is None:
            return None
        self._steps.clear()
        arguments = _arguments(lesson)
        if Redactor().objection("\n".join(map(str, arguments.values()))):
            return None  # `remember` would refuse it: nobody is asked in vain
        return arguments


def _arguments(lesson: Draft) -> Mapping[str, Any]:
    scope = {name: list(names) for name, names in lesson.applies_to.items()}
    return {
        "title": lesson.title,
        "category": lesson.category,
        "context": lesson.context,
        "action": lesson.action,
        "result": lesson.result,
        "outcome": lesson.outcome,
        "tags": list(lesson.tags),
        **scope,
    }
