"""Two people changed one text: their changes together, line by line, when they touch different lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

_LINES = re.compile(r"[^\n]*\n|[^\n]+")


class Unmergeable(Exception):
    """Both changed the same lines."""


def merged(base: str, one: str, other: str) -> str:
    """`base` with the changes of `one` and of `other`. Raises Unmergeable when they touch the same lines."""
    if one in (base, other):
        return other
    if other == base:
        return one
    old, ours, theirs = (_LINES.findall(text) for text in (base, one, other))
    left, right = _edits(old, ours), _edits(old, theirs)
    result: list[str] = []
    at = 0
    for start, stop, lines in sorted(_together(left, right), key=lambda edit: edit[:2]):
        result += [*old[at:start], *lines]
        at = stop
    return "".join([*result, *old[at:]])


_Edit = tuple[int, int, tuple[str, ...]]
"""Lines `start` to `stop` of the old text become these."""


def _edits(old: Sequence[str], new: Sequence[str]) -> list[_Edit]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        (i, j, tuple(new[k:m])) for kind, i, j, k, m in matcher.get_opcodes() if kind != "equal"
    ]  # fmt: skip


def _together(left: Sequence[_Edit], right: Sequence[_Edit]) -> list[_Edit]:
    """All edits once. Two that meet in a line, or insert at one place, must be the same."""
    both = [*left]
    for edit in right:
        if edit in left:
            continue
        if any(edit[0] <= start_stop[1] and start_stop[0] <= edit[1] for start_stop in left):
            raise Unmergeable
        both.append(edit)
    return both
