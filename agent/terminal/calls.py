"""Tool calls as one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len, set_cell_size

from agent.terminal.safe import one_line

_LONGEST = 60
"""Columns of one argument; `/show N` has the whole call."""


def summary(arguments: Mapping[str, Any]) -> str:
    """`schemas=public only=a,b sql="select 1"`, long values cut."""
    return " ".join(f"{one_line(str(name))}={_value(value)}" for name, value in arguments.items())


def fit(text: str, columns: int) -> str:
    """The text in at most so many columns, with an ellipsis where it was cut."""
    if cell_len(text) <= columns:
        return text
    return set_cell_size(text, max(columns - 1, 0)).rstrip() + "…"


def duration(seconds: float) -> str:
    """`0.8 s`, `2 min 5 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]  JSON from the model
        return fit(",".join(_value(item) for item in items), _LONGEST) or "[]"
    if isinstance(value, Mapping):
        return "{…}" if value else "{}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = fit(one_line(str(value)), _LONGEST)
    return f'"{text}"' if not text or " " in text else text
