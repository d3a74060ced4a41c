"""The cells of the access matrix that differ, with the direction of each.

Two cells that both say "rows by condition" are compared by their conditions, helpers inlined: that is where
most changes of real migrations are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tools.rls.diffing.change import OF_TURN, CellChange, Direction, Pair, combined, own_relations
from tools.rls.diffing.forms import TRUE, Form
from tools.rls.diffing.implying import Turn, turned
from tools.rls.diffing.turns import passing
from tools.rls.diffing.unfolding import Unfold
from tools.rls.matrix.access import COMMANDS, Access, Extent, access, applying, unbound_by
from tools.rls.matrix.answer import WORDS
from tools.rls.objects import Policy, Relation
from tools.rls.privileges import Role
from tools.rls.snapshot import Snapshot

_REACH: Final = {Extent.NONE: 0, Extent.DENIED: 0, Extent.ROWS: 1, Extent.EVERY: 2}
_NOTHING: Final = Access(Extent.NONE, "it does not exist")
_SAID: Final = {
    Turn.WIDER: "a wider condition",
    Turn.NARROWER: "a narrower condition",
    Turn.OTHER: "another condition",
}


def cell_changes(pair: Pair) -> tuple[CellChange, ...]:
    """The cells that differ on relations of both sides; roles with the same change stand together."""
    old, new = own_relations(pair.old), own_relations(pair.new)
    found: list[CellChange] = []
    conditions = Conditions(pair)
    for title in sorted(old.keys() & new.keys()):
        for command in (*COMMANDS, "TRUNCATE"):
            alike: dict[tuple[Direction, str, str, str], list[str]] = {}
            for role in pair.roles:
                told = _cell(pair, conditions, role, old[title], new[title], command)
                if told is not None:
                    alike.setdefault(told, []).append(role)
            for (direction, before, after, how), roles in alike.items():
                found.append(
                    CellChange(
                        direction=direction,
                        roles=tuple(roles),
                        relation=title,
                        command=command,
                        before=before,
                        after=after,
                        how=how,
                    )
                )
    return tuple(sorted(found, key=lambda cell: (cell.direction.rank, cell.relation, cell.command)))


def _cell(
    pair: Pair, conditions: Conditions, name: str, old: Relation, new: Relation, command: str
) -> tuple[Direction, str, str, str] | None:
    one, other = pair.role(pair.old, name), pair.role(pair.new, name)
    before = access(pair.old, one, old, command) if one is not None else _NOTHING
    after = access(pair.new, other, new, command) if other is not None else _NOTHING
    reach_before, reach_after = _REACH[before.extent], _REACH[after.extent]
    columns = _columns(before, after, old, new)
    if reach_before != reach_after:
        wider = reach_after > reach_before
        return Direction.WIDENS if wider else Direction.NARROWS, _words(before), _words(after), ""
    if reach_before == 0 or one is None or other is None:
        # No row is reached either way. A privilege that came or went is said with the privilege.
        return None
    turn = conditions.turn((one, old), (other, new), command, after.extent)
    direction = combined(found for found in (OF_TURN[turn], columns) if found is not Direction.NEUTRAL)
    if direction is Direction.NEUTRAL:
        return None
    how = _SAID.get(turn, "") if columns is Direction.NEUTRAL else ""
    return direction, _words(before, how), _words(after, how), how


def _words(found: Access, how: str = "") -> str:
    columns = "" if found.columns is None or how else f" on columns {', '.join(found.columns)}"
    return WORDS[found.extent] + columns


def _columns(before: Access, after: Access, old: Relation, new: Relation) -> Direction:
    """More or fewer columns among those that exist on both sides."""
    shared = old.columns.keys() & new.columns.keys()
    one = shared if before.columns is None else shared & set(before.columns)
    other = shared if after.columns is None else shared & set(after.columns)
    if one == other:
        return Direction.NEUTRAL
    if one < other:
        return Direction.WIDENS
    return Direction.NARROWS if other < one else Direction.CHANGES


class Conditions:
    """How the condition of a cell turned; worked out once for each set of policies that applies."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.known = pair.turns.known
        self._turns: dict[tuple[object, ...], Turn] = {}

    def turn(
        self, before: tuple[Role, Relation], after: tuple[Role, Relation], command: str, extent: Extent
    ) -> Turn:
        """For a role and relation that reach rows with this command on both sides."""
        old, new = before[1], after[1]
        if old.kind in "vm" or new.kind in "vm":
            return self._view(old, new, bound=extent is not Extent.EVERY)
        one, other = self._policies(*before, command), self._policies(*after, command)
        key = (new.title, command, _key(one), _key(other))
        if key not in self._turns:
            self._turns[key] = self._compare((old, one), (new, other), command)
        return self._turns[key]

    def _view(self, old: Relation, new: Relation, *, bound: bool) -> Turn:
        if old.kind == new.kind == "v":
            if old.invoker and new.invoker and old.definition == new.definition:
                return Turn.SAME  # it follows its tables, whose own cells tell
            return self.known("relation" if bound else "owned", new.title)
        same = old.kind == new.kind and old.definition == new.definition
        return Turn.SAME if same else Turn.OTHER

    def _policies(self, role: Role, relation: Relation, command: str) -> tuple[Policy, ...] | None:
        """The policies that bind the role, None when row level security does not."""
        return None if unbound_by(role, relation, command) else applying(role, relation, command)

    def _compare(
        self,
        before: tuple[Relation, tuple[Policy, ...] | None],
        after: tuple[Relation, tuple[Policy, ...] | None],
        command: str,
    ) -> Turn:
        kinds = {"INSERT": (True,), "UPDATE": (False, True)}.get(command, (False,))
        turns = {
            turned(
                _form(self.pair.turns.before, *before, command, new_row=new_row),
                _form(self.pair.turns.after, *after, command, new_row=new_row),
                self.known,
            )
            for new_row in kinds
        } - {Turn.SAME}
        return Turn.SAME if not turns else turns.pop() if len(turns) == 1 else Turn.OTHER


def _key(policies: tuple[Policy, ...] | None) -> tuple[object, ...] | None:
    return None if policies is None else tuple(id(policy) for policy in policies)


def _form(
    side: Unfold, relation: Relation, policies: tuple[Policy, ...] | None, command: str, *, new_row: bool
) -> Form:
    return TRUE if policies is None else passing(side, relation, command, policies, new_row=new_row)


def relation_cells(pair: Pair, side: Snapshot, relation: Relation) -> Iterator[tuple[str, str, Access]]:
    """(role, command, access) of what the compared roles reach of one relation, TRUNCATE left out."""
    for name in pair.roles:
        role = side.roles.get(name)
        for command in COMMANDS if role is not None else ():
            found = access(side, role, relation, command) if role is not None else _NOTHING
            if _REACH[found.extent]:
                yield name, command, found
