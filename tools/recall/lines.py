"""Text as the memory tool's protocol shows and changes it: pure, with the protocol's words for errors."""

from __future__ import annotations

from typing import Final

from tools.errors import InvalidInput

_MOST: Final = 999_999
_WIDTH: Final = len(str(_MOST))
_AROUND: Final = 2
"""Lines shown before and after a change."""


def numbered(text: str, view_range: list[int] | None = None) -> str:
    """The lines with their numbers; `view_range` is [first, last], -1 for the end."""
    lines = text.split("\n")
    first, last = 1, len(lines)
    if view_range and len(view_range) == 2:
        first = max(1, view_range[0])
        last = last if view_range[1] == -1 else view_range[1]
    return "\n".join(_line(number, line) for number, line in enumerate(lines[first - 1 : last], first))


def replaced(path: str, text: str, old: str, new: str) -> tuple[str, str]:
    """The text with its one `old` as `new`, and the lines around the change."""
    count = text.count(old) if old else 0
    if count == 0:
        raise InvalidInput(
            f"No replacement was performed, old_str `{old}` did not appear verbatim in {path}."
        )
    if count > 1:
        where = ", ".join(str(line) for line in _occurrences(text, old))
        raise InvalidInput(
            f"No replacement was performed. Multiple occurrences of old_str `{old}` in lines: {where}. "
            "Please ensure it is unique"
        )
    changed = text[: text.index(old)].count("\n")
    after = text.replace(old, new)
    lines = after.split("\n")
    first, last = max(0, changed - _AROUND), min(len(lines), changed + _AROUND + 1)
    return after, "\n".join(_line(number + 1, lines[number]) for number in range(first, last))


def inserted(text: str, line: int, addition: str) -> str:
    """The text with more lines after line number `line`. Line ends of the other lines stay as they are."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if not 0 <= line <= len(lines):
        raise InvalidInput(
            f"Invalid `insert_line` parameter: {line}. It should be within the range [0, {len(lines)}]."
        )
    lines.insert(line, addition.rstrip("\n"))
    return "\n".join(lines) + "\n"


def size(count: int) -> str:
    """Bytes for people: 512B, 4K, 1.5M."""
    value, unit = float(count), "B"
    for bigger in "KMG":
        if value < 1024:
            break
        value, unit = value / 1024, bigger
    return f"{int(value)}{unit}" if value == int(value) else f"{value:.1f}{unit}"


def _occurrences(text: str, part: str) -> list[int]:
    """The lines in which it begins, overlaps included."""
    found: list[int] = []
    position = text.find(part)
    while position != -1:
        found.append(text.count("\n", 0, position) + 1)
        position = text.find(part, position + 1)
    return found


def _line(number: int, text: str) -> str:
    return f"{number:>{_WIDTH}}\t{text}"
