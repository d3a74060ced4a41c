"""The status line below the prompt."""

from __future__ import annotations

from typing import Final

from agent.approvals import Approvals, Mode
from agent.terminal.calls import fit
from agent.terminal.conversation import Conversation
from agent.terminal.safe import one_line

WINDOW: Final = 200_000
"""Tokens of context that every Claude model has; some have more, so this errs on the early side."""


def status(talk: Conversation, columns: int) -> str:
    """Mode, model, target, context and PHI in one line; the target gives way first when it is narrow."""
    strict = "PHI strict" if talk.house.executor.redactor.strict else "PHI SHOWN"
    model = one_line(talk.model_name) if talk.model else "no model"
    ends = [mode(talk.house.executor.approvals), model, context(talk), strict]
    room = columns - len(" · ".join(ends)) - 5
    target = fit(one_line(talk.house.target) or "no database", max(room, 8))
    return fit(" " + " · ".join([*ends[:2], target, *ends[2:]]), columns)


def mode(held: Approvals) -> str:
    """`act`, or `act (2 approved)` where something may run without asking just now."""
    count = len(held.grants) + sum(one.active(held.now()) for one in (*held.patterns, *held.added))
    return f"{held.mode} ({count} approved)" if count and held.mode is Mode.ACT else str(held.mode)


def context(talk: Conversation) -> str:
    """`context 6%`, or the tokens where the model's window is not known."""
    if not talk.model_name.startswith("claude"):
        return f"context {tokens(talk.context)}"
    return f"context {100 * talk.context / WINDOW:.0f}%"


def tokens(count: int) -> str:
    """`812`, `12.3k`."""
    return str(count) if count < 1000 else f"{count / 1000:.1f}k"
