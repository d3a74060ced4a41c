"""Changed functions: helpers of policies, definer functions, trigger functions, who may execute them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tools.rls.diffing.change import (
    OF_TURN,
    CellChange,
    Change,
    Direction,
    Pair,
    combined,
    commands_of,
    own_functions,
    texts,
)
from tools.rls.diffing.implying import Turn
from tools.rls.diffing.policies import because
from tools.rls.objects import Function, Policy
from tools.rls.privileges import granted
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot


def function_changes(pair: Pair) -> Iterator[Change]:
    """Functions whose body or rights changed, that came, or that went."""
    old, new = own_functions(pair.old), own_functions(pair.new)
    for title in sorted(old.keys() | new.keys()):
        one, other = old.get(title), new.get(title)
        if one is not None and other is not None:
            yield from _changed(pair, one, other)
        elif other is not None:
            yield from _came(pair, other)
        elif one is not None and one.definer and not one.is_trigger and _callers(pair, pair.old, one):
            served = pair.old.reachable(one.schema)
            yield Change(
                direction=Direction.NARROWS if served else Direction.NEUTRAL,
                kind="function",
                object=title,
                sentence=f"{title} is gone.",
                reason="nobody can call it any more"
                if served
                else f"schema {one.schema} was not served by the API",
            )


def _came(pair: Pair, function: Function) -> Iterator[Change]:
    callers = _callers(pair, pair.new, function)
    if function.definer and callers and not function.is_trigger:
        served = pair.new.reachable(function.schema)
        yield Change(
            direction=Direction.WIDENS if served else Direction.NEUTRAL,
            kind="function",
            object=function.title,
            sentence=f"{function.title} is new: SECURITY DEFINER, and {', '.join(callers)} may execute it.",
            reason=f"it acts with the rights of {function.owner}"
            if served
            else f"schema {function.schema} is not served by the API",
            after=_flat(function),
        )


def _changed(pair: Pair, old: Function, new: Function) -> Iterator[Change]:
    yield from _settings(pair, old, new)
    if old.body == new.body and old.language == new.language:
        return
    turn = pair.turns.function(old, new)
    if turn is Turn.SAME and old.volatility == new.volatility:
        return
    policies = _policies(pair.new, new)
    touched = [c for policy in policies for c in pair.touched(policy.relation, commands_of(policy))]
    touched = list(dict.fromkeys(touched))
    direction, reason = _helper_direction(pair, new, turn, policies, touched)
    yield Change(
        direction=direction,
        kind="function",
        object=new.title,
        sentence=f"The body of {new.title} changed{_used(policies)}.",
        reason=reason,
        before=_flat(old),
        after=_flat(new),
        reaches=texts(touched),
    )


def _helper_direction(
    pair: Pair, function: Function, turn: Turn, policies: list[Policy], touched: list[CellChange]
) -> tuple[Direction, str]:
    if touched:
        own = OF_TURN[turn]
        directions = {cell.direction for cell in touched}
        direction = own if own in directions else combined(directions)
        return direction, f"policies that call it: {because(direction)}"
    if function.is_trigger:
        attached = any(t.function == function.oid for r in pair.new.relations.values() for t in r.triggers)
        told = "it runs on writes, and what it refuses or sets may be something else now"
        return (Direction.CHANGES, told) if attached else (Direction.NEUTRAL, "no trigger runs it")
    if function.definer and _callers(pair, pair.new, function):
        return OF_TURN[turn], f"it acts with the rights of {function.owner} for whoever calls it"
    if policies and turn is not Turn.SAME:
        return (
            Direction.NEUTRAL,
            "the policies that call it let the same rows through for every compared role",
        )
    return Direction.NEUTRAL, "it runs with the caller's own rights, or nobody compared may call it"


def _settings(pair: Pair, old: Function, new: Function) -> Iterator[Change]:
    def change(direction: Direction, sentence: str, reason: str) -> Change:
        return Change(
            direction=direction, kind="function", object=new.title, sentence=sentence, reason=reason
        )

    if old.definer != new.definer:
        to = "SECURITY DEFINER" if new.definer else "SECURITY INVOKER"
        reason = (
            f"it acts with the rights of {new.owner}" if new.definer else "it acts with the caller's rights"
        )
        direction = Direction.WIDENS if new.definer else Direction.NARROWS
        yield change(direction, f"{new.title} is {to} now.", reason)
    if old.search_path != new.search_path and (old.definer or new.definer):
        yield _path(change, old, new)
    if old.owner != new.owner and new.definer:
        sentence = f"{new.title} belongs to {new.owner} now."
        yield change(Direction.CHANGES, sentence, "a definer function acts as its owner")
    yield from _executors(pair, old, new)


def _path(change: Callable[[Direction, str, str], Change], old: Function, new: Function) -> Change:
    if new.search_path is None:
        reason = "its caller decides which objects its names mean"
        return change(Direction.WIDENS, f"{new.title} lost its search_path.", reason)
    sentence = f"search_path of {new.title} is {', '.join(new.search_path) or 'empty'} now."
    if old.search_path is None:
        return change(Direction.NARROWS, sentence, "its names mean the same for every caller")
    return change(Direction.CHANGES, sentence, "its names may mean other objects")


def _executors(pair: Pair, old: Function, new: Function) -> Iterator[Change]:
    one, other = set(_callers(pair, pair.old, old)), set(_callers(pair, pair.new, new))
    if new.is_trigger or old.acl == new.acl:
        return  # what a membership or a schema does is said there
    if other - one:
        who = ", ".join(sorted(other - one))
        yield Change(
            direction=Direction.WIDENS if new.definer else Direction.NEUTRAL,
            kind="privilege",
            object=new.title,
            sentence=f"{who} may now execute {new.title}.",
            reason=f"it acts with the rights of {new.owner if new.definer else 'its caller'}",
        )
    if one - other:
        who, helper = ", ".join(sorted(one - other)), bool(_policies(pair.new, new))
        yield Change(
            direction=Direction.NARROWS if new.definer or helper else Direction.NEUTRAL,
            kind="privilege",
            object=new.title,
            sentence=f"{who} may no longer execute {new.title}.",
            reason="policies that call it fail for them" if helper else "",
        )


def _callers(pair: Pair, side: Snapshot, function: Function) -> list[str]:
    roles = [side.roles[name] for name in pair.roles if name in side.roles]
    return [
        role.name
        for role in roles
        if side.usable(role, function.schema) and "EXECUTE" in granted(function.acl, role)
    ]


def _policies(side: Snapshot, function: Function) -> list[Policy]:
    found = reach(side).policy_functions.get(function.oid)
    return list(found[1]) if found is not None else []


def _used(policies: list[Policy]) -> str:
    if not policies:
        return ""
    names = sorted({f"{policy.name} on {policy.relation}" for policy in policies})
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f", which {len(policies)} {'policy reaches' if len(policies) == 1 else 'policies reach'} ({shown})"


def _flat(function: Function) -> str:
    return " ".join(function.body.split())[:1200]
