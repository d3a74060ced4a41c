"""The difference of two snapshots: every change with its direction, and what was not compared."""

from __future__ import annotations

import re
from typing import Final

from pydantic import Field

from tools.registry import Facts, Result
from tools.review import Gap
from tools.rls.diffing.cells import cell_changes
from tools.rls.diffing.change import CellChange, Change, Direction, Pair
from tools.rls.diffing.functions import function_changes
from tools.rls.diffing.grants import default_changes, privilege_changes, role_changes
from tools.rls.diffing.objects import relation_changes, surface_changes
from tools.rls.diffing.policies import policy_changes
from tools.rls.snapshot import Snapshot
from tools.rls.wording import shown

_FULL: Final = 12
"""Changes that the compact answer tells in full."""
_CELL: Final = re.compile(r"(?P<who>.+) (?P<commands>[A-Z]+(?:, [A-Z]+)*) on (?P<on>.+): ")
_AROUND: Final = 8
"""Words that are left around what differs."""
_CELLS: Final = 4
"""Effective changes named with each of them."""


class Difference(Result):
    """What changed from `base` to `head`: `access` are cells of the matrix, `changes` what is behind them."""

    base: str
    head: str
    changes: tuple[Change, ...]
    access: tuple[CellChange, ...]
    not_examined: tuple[Gap, ...] = Field(default=())

    def count(self, direction: Direction) -> int:
        """How many changes have this direction."""
        return sum(change.direction is direction for change in self.changes)

    @property
    def verdict(self) -> Direction:
        """The gravest direction."""
        found = [*(c.direction for c in self.changes), *(c.direction for c in self.access)]
        return min(found, key=lambda one: one.rank, default=Direction.NEUTRAL)

    def fails(self, on: str) -> bool:
        """Whether this is a failure under --fail-on widens, any or never.

        What was not shown to be harmless counts as widening: a change that nobody could judge is no pass.
        """
        if on == "never":
            return False
        if on == "any":
            return bool(self.changes or self.access)
        return self.verdict in (Direction.WIDENS, Direction.CHANGES)

    def sentence(self) -> str:
        """`2 changes widen access, 1 narrows it, 3 are neutral.`"""
        if not self.changes and not self.access:
            return "Nothing changed in who can do what."
        words = (
            (Direction.WIDENS, "widens", "widen"),
            (Direction.CHANGES, "may widen", "may widen"),
            (Direction.NARROWS, "narrows", "narrow"),
            (Direction.NEUTRAL, "is neutral", "are neutral"),
        )
        counted = [(self.count(direction), one, more) for direction, one, more in words]
        parts = [f"{n} {one if n == 1 else more}" for n, one, more in counted if n]
        return (
            f"{len(self.changes)} change{'' if len(self.changes) == 1 else 's'}: {', '.join(parts)} access."
        )

    def audit_facts(self) -> Facts:
        """Which two states were read."""
        return Facts(target=f"{self.base} -> {self.head}")

    def markdown(self) -> str:
        """Compact: what widens in full, the rest by one line each."""
        lines = [f"{self.base} -> {self.head}: {self.sentence()}"]
        for change in self.changes[:_FULL]:
            lines.append(f"\n**{change.direction}** {shown(change.sentence)}")
            lines += [f"Why: {shown(change.reason)}."] if change.reason else []
            before, after = told_apart(change.before, change.after)
            lines += [f"Was: `{_short(before)}`"] if before else []
            lines += [f"Is: `{_short(after)}`"] if after else []
            lines += [f"- {shown(cell)}" for cell in change.reaches[:_CELLS]]
            more = len(change.reaches) - _CELLS
            lines += [f"- and {more} more"] if more > 0 else []
        lines += [f"- {change.direction}: {shown(change.sentence)}" for change in self.changes[_FULL:]]
        rest = self.unexplained
        if rest:
            lines += ["\nAccess that changed without a change of its own:"]
            lines += [f"- {cell.direction}: {shown(cell.text)}" for cell in rest]
        lines += [f"Not compared: {gap.what} ({gap.why})" for gap in self.not_examined]
        return "\n".join(lines)

    @property
    def unexplained(self) -> tuple[CellChange, ...]:
        """Cells that no change names: access through a view whose table changed, for one."""
        found = (_CELL.match(text) for change in self.changes for text in change.reaches)
        told = {(m["who"], command, m["on"]) for m in found if m for command in m["commands"].split(", ")}
        related = {c.object for c in self.changes} | {c.object.rpartition(" on ")[2] for c in self.changes}
        return tuple(
            cell
            for cell in self.access
            if (", ".join(cell.roles), cell.command, cell.relation) not in told
            and cell.relation not in related
        )


def difference(old: Snapshot, new: Snapshot, base: str, head: str) -> Difference:
    """Compare two snapshots. `base` and `head` say what they are."""
    pair = Pair(old, new)
    pair.cells = cell_changes(pair)
    changes = [
        *policy_changes(pair),
        *function_changes(pair),
        *relation_changes(pair),
        *privilege_changes(pair),
        *default_changes(pair),
        *role_changes(pair),
        *surface_changes(pair),
    ]
    changes.sort(key=lambda one: (one.direction.rank, one.object, one.kind, one.sentence))
    return Difference(
        base=base, head=head, changes=tuple(changes), access=pair.cells, not_examined=tuple(_gaps(pair))
    )


def _gaps(pair: Pair) -> list[Gap]:
    found: list[Gap] = []
    if pair.old.version // 10000 != pair.new.version // 10000:
        versions = f"{pair.old.version // 10000} and {pair.new.version // 10000}"
        found.append(Gap(what="spelling of expressions", why=f"the servers are PostgreSQL {versions}"))
    for side, word in ((pair.old, "base"), (pair.new, "head")):
        unread = [
            policy.title
            for policy in side.policies
            if (policy.using_text and policy.using is None) or (policy.check_text and policy.check is None)
        ]
        if unread:
            names = ", ".join(unread[:3])
            found.append(
                Gap(what=f"{names} ({word})", why="could not be parsed, so only its text is compared")
            )
    if any(function.language not in ("sql", "plpgsql") for function in pair.new.functions):
        found.append(Gap(what="what functions in other languages than sql and plpgsql do", why="not read"))
    return found


def told_apart(before: str, after: str) -> tuple[str, str]:
    """Both texts without most of what they begin and end with alike."""
    if not before or not after:
        return before, after
    old, new = before.split(" "), after.split(" ")
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    left, right = max(0, start - _AROUND), max(0, end - _AROUND)
    return _clipped(old, left, right), _clipped(new, left, right)


def _clipped(words: list[str], left: int, right: int) -> str:
    middle = " ".join(words[left : len(words) - right])
    return f"{'... ' if left else ''}{middle}{' ...' if right else ''}"


def _short(text: str) -> str:
    text = shown(text).replace("`", "'")
    return text if len(text) <= 300 else text[:297] + "..."
