"""One change that would save money: exactly what would do it, what takes it back, and how sure it is."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Confidence = Literal["high", "medium", "low"]
_ORDER: tuple[Confidence, ...] = ("high", "medium", "low")


class Proposal(BaseModel):
    """`do` and `undo` are calls of change_service, or a person's steps where no tool does it."""

    model_config = ConfigDict(frozen=True)

    resource: str
    id: str
    change: str
    saves: float
    confidence: Confidence
    because: str
    risk: str
    evidence: str
    do: str
    undo: str


def call(service: str, action: str, **arguments: object) -> str:
    """`change_service(service="web", action="scale", instances=2)`."""
    said = [f'service="{service}"', f'action="{action}"']
    said += [f"{name}={_value(value)}" for name, value in arguments.items() if value is not None]
    return f"change_service({', '.join(said)})"


def weakest(*reasons: tuple[Confidence, str]) -> tuple[Confidence, str]:
    """The least of several confidences, with the reasons that lower it."""
    level: Confidence = _ORDER[max((_ORDER.index(each) for each, _ in reasons), default=0)]
    return level, "; ".join(said for each, said in reasons if each == level and said)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
