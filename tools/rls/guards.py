"""Triggers that stand in for a policy: they refuse a row, or write a column themselves."""

from __future__ import annotations

import re
from typing import Final

from tools.rls.bodies import body_of
from tools.rls.objects import Relation
from tools.rls.reach import Reach

_RAISES: Final = re.compile(
    r"\braise\s*(;|exception\b|sqlstate\b|using\b|'|(?!(debug|log|info|notice|warning)\b)[a-z_]+)",
    re.IGNORECASE,
)
_DROPS_ROW: Final = re.compile(r"\breturn\s+(null|old)\b", re.IGNORECASE)
_SETS_NEW: Final = re.compile(r"(?:;|\bbegin|\bthen|\belse|\bloop)\s*new\.\"?(\w+)\"?\s*:?=", re.IGNORECASE)


def guarded(reached: Reach, relation: Relation, command: str) -> frozenset[str]:
    """Columns that some trigger of this command watches: it names them and can refuse or overwrite.

    A trigger that only notifies or logs names the column as well, and guards nothing.
    """
    names: set[str] = set()
    for trigger in relation.triggers:
        function = reached.snapshot.function_by_oid.get(trigger.function)
        if function is None or not trigger.fires(command):
            continue
        refuses = any(_RAISES.search(member.body) for member in reached.closure([function]))
        if trigger.before:
            names.update(match[1].lower() for match in _SETS_NEW.finditer(function.body))
            refuses = refuses or _DROPS_ROW.search(function.body) is not None
        if refuses or not body_of(function).complete:
            names.update(trigger.arguments)
            names.update(c.name for one in body_of(function).everything() for c in one.columns)
    return frozenset(names)
