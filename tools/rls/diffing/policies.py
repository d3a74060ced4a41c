"""Changed policies: what decides about rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tools.rls.diffing.change import (
    OF_TURN,
    CellChange,
    Change,
    Direction,
    Pair,
    combined,
    own_relations,
    texts,
)
from tools.rls.diffing.forms import FALSE, TRUE, Form
from tools.rls.diffing.implying import Turn, turned
from tools.rls.diffing.unfolding import Unfold
from tools.rls.matrix.access import COMMANDS
from tools.rls.objects import Policy, Relation
from tools.rls.wording import text_of


def policy_changes(pair: Pair) -> Iterator[Change]:
    """Policies that came, went or mean something else, on relations that exist on both sides."""
    old, new = own_relations(pair.old), own_relations(pair.new)
    for title in sorted(old.keys() & new.keys()):
        one = {policy.name: policy for policy in old[title].policies}
        other = {policy.name: policy for policy in new[title].policies}
        for name in sorted(one.keys() | other.keys()):
            change = _policy(pair, new[title], one.get(name), other.get(name))
            if change is not None:
                yield change


def _policy(pair: Pair, relation: Relation, old: Policy | None, new: Policy | None) -> Change | None:
    some = new or old
    assert some is not None
    own = _own_direction(pair, relation, old, new)
    if old is not None and new is not None and own is None:
        return None
    commands = {c for p in (old, new) if p is not None for c in COMMANDS if p.covers(c)}
    roles = {name for p in (old, new) if p is not None for name in _addressed(pair, p)}
    touched = pair.touched(relation.title, commands, roles)
    verb = "is new" if old is None else "is gone" if new is None else "changed"
    direction, reason = _settled(own or Direction.CHANGES, touched, relation, roles)
    return Change(
        direction=direction,
        kind="policy",
        object=some.title,
        sentence=f"{some.title} {verb}.",
        reason=reason,
        before=text_of(old) if old is not None else "",
        after=text_of(new) if new is not None else "",
        reaches=texts(touched),
    )


def _own_direction(
    pair: Pair, relation: Relation, old: Policy | None, new: Policy | None
) -> Direction | None:
    """What the policy alone does; None when both sides mean the same."""
    if old is None or new is None:
        came = old is None
        permissive = (new or old).permissive  # pyright: ignore[reportOptionalMemberAccess]  one of the two exists
        return Direction.WIDENS if came == permissive else Direction.NARROWS
    if old.permissive != new.permissive:
        return Direction.WIDENS if new.permissive else Direction.NARROWS
    found: set[Direction] = set()
    for one, other in (
        ({c for c in COMMANDS if old.covers(c)}, {c for c in COMMANDS if new.covers(c)}),
        (set(old.roles), set(new.roles)),
    ):
        more, less = _more(one, other), _more(other, one)
        found |= {Direction.WIDENS if new.permissive else Direction.NARROWS} if more else set()
        found |= {Direction.NARROWS if new.permissive else Direction.WIDENS} if less else set()
    for new_row in (False, True):
        before = _condition(pair.turns.before, relation, old, new_row)
        turn = turned(before, _condition(pair.turns.after, relation, new, new_row), _unmoved)
        found |= {OF_TURN[turn]} if turn is not Turn.SAME else set()
    return None if not found else found.pop() if len(found) == 1 else Direction.CHANGES


def _unmoved(kind: str, name: str) -> Turn:
    """A policy's own text is compared as if nothing beneath it had changed."""
    del kind, name
    return Turn.SAME


def _more(one: set[str], other: set[str]) -> bool:
    """Whether `other` names something that `one` does not cover."""
    return "public" not in one and not other <= one


def _condition(side: Unfold, relation: Relation, policy: Policy, new_row: bool) -> Form:
    own = side.snapshot.relations.get(relation.title, relation)
    form = side.condition(own, policy, new_row=new_row, unfolded=False)
    return form if form is not None else FALSE if policy.permissive else TRUE


def _settled(
    own: Direction, touched: list[CellChange], relation: Relation, roles: set[str]
) -> tuple[Direction, str]:
    """The direction of a policy's change, given the cells that really changed."""
    directions = {cell.direction for cell in touched}
    if not touched:
        if not relation.rls:
            return Direction.NEUTRAL, f"row level security is off on {relation.title}, so no policy counts"
        if not roles:
            return Direction.NEUTRAL, "no role that it addresses is compared"
        return Direction.NEUTRAL, "no privilege goes with it, or other policies let the same rows through"
    if directions == {Direction.NARROWS} and own is not Direction.NARROWS:
        return Direction.NARROWS, "together with the other changes less is let through"
    if own in directions or Direction.CHANGES in directions:
        return own, because(own)
    return combined(directions), "by what the policies of the command let through together"


def because(direction: Direction) -> str:
    """The reason for a direction, in a sentence's tail."""
    return {
        Direction.WIDENS: "it lets through what was refused before",
        Direction.NARROWS: "it refuses what was let through before",
        Direction.CHANGES: "neither condition was shown to include the other",
        Direction.NEUTRAL: "nothing that is let through differs",
    }[direction]


def _addressed(pair: Pair, policy: Policy) -> Iterable[str]:
    for name in policy.roles:
        yield from pair.holders(pair.old, name)
        yield from pair.holders(pair.new, name)
