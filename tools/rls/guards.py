"""Triggers that stand in for a policy: they refuse a row, or write a column themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tools.rls.bodies import body_of
from tools.rls.objects import Function, Relation, Trigger
from tools.rls.reach import Reach
from tools.rls.wording import literal, quoted, table_name

_RAISES: Final = re.compile(
    r"\braise\s*(;|exception\b|sqlstate\b|using\b|'|(?!(debug|log|info|notice|warning)\b)[a-z_]+)",
    re.IGNORECASE,
)
_DROPS_ROW: Final = re.compile(r"\breturn\s+(null|old)\b", re.IGNORECASE)
_ROW_AS_JSON: Final = re.compile(r"\bto_jsonb?\s*\(\s*(new|old)\b", re.IGNORECASE)
_SETS_NEW: Final = re.compile(r"(?:;|\bbegin|\bthen|\belse|\bloop)\s*new\.\"?(\w+)\"?\s*:?=", re.IGNORECASE)


def guarded(reached: Reach, relation: Relation, command: str) -> frozenset[str]:
    """Columns that some trigger of this command watches: it names them and can refuse or overwrite.

    A trigger that only notifies or logs names the column as well, and guards nothing.
    """
    names: set[str] = set()
    for trigger in relation.triggers:
        function = reached.snapshot.function_by_oid.get(trigger.function)
        if function is not None and trigger.fires(command):
            names |= watched(reached, function, trigger)
    return frozenset(names)


def watched(reached: Reach, function: Function, trigger: Trigger) -> frozenset[str]:
    """Columns that a trigger watches, whether or not it is enabled; none when it lets every row pass."""
    names = set(overwritten(function)) if trigger.before else set[str]()
    if refuses(reached, function, trigger) or not body_of(function).complete:
        names.update(trigger.arguments)
        for one in body_of(function).everything():
            names.update(column.name for column in one.columns)
            names.update(one.constants if _ROW_AS_JSON.search(function.body) else ())
    return frozenset(names)


def refuses(reached: Reach, function: Function, trigger: Trigger) -> bool:
    """Whether a trigger can refuse a row: its function raises, or gives nothing or the old row back.

    Where deletes are told apart, the old row is what lets them pass.
    """
    if raises(reached, function):
        return True
    deletes = not trigger.concerns("UPDATE") or "delete" in function.body.lower()
    return trigger.before and any(
        match[1].lower() == "null" or not deletes for match in _DROPS_ROW.finditer(function.body)
    )


def raises(reached: Reach, function: Function) -> bool:
    """Whether a function raises an exception, itself or through a call."""
    return any(_RAISES.search(member.body) for member in reached.closure([function]))


def overwritten(function: Function) -> frozenset[str]:
    """The columns that a BEFORE trigger's function writes itself: `new.x := ...`."""
    return frozenset(match[1].lower() for match in _SETS_NEW.finditer(function.body))


def row_columns(function: Function) -> frozenset[str]:
    """The columns of NEW and OLD that a trigger function names."""
    return frozenset(
        column.name
        for one in body_of(function).everything()
        for column in one.columns
        if column.qualifier in ("new", "old")
    )


def meant_for(function: Function) -> tuple[str, ...]:
    """The commands that a guard was written for: a comparison with the old row is for updates."""
    every = body_of(function).everything()
    old = any("old" in (column.qualifier, column.name) for one in every for column in one.columns)
    return ("UPDATE",) if old else ("INSERT", "UPDATE")


def created(relation: Relation, function: Function, columns: Iterable[str] = ()) -> str:
    """CREATE TRIGGER for a guard, the columns as its arguments where the function reads them."""
    arguments = ", ".join(map(literal, columns)) if "tg_argv" in function.body.lower() else ""
    return (
        f"create trigger {quoted(f'{relation.name}_{function.name}')} before"
        f" {' or '.join(meant_for(function)).lower()} on {table_name(relation)}"
        f"\n  for each row execute function {quoted(function.schema, function.name)}({arguments});"
    )
