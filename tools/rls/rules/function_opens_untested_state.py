"""A procedure brings access to life without looking at the state that it was in.

What it finds
    SECURITY DEFINER functions that callers may run and that set a state column to a word such as accepted or
    active, in a table that decides about access or holds offers (an invitation's token, an expiry), without
    testing that column, or the row's expiry, anywhere. Columns that a trigger watches are left out.

Why it matters
    An invitation that was cancelled, used up or ran out is accepted all the same; a grant that was revoked is
    revived by the one who lost it.

Fix
    Say in the WHERE of the update which state it may start from (status = 'pending') and that the row has not
    expired, and raise an exception when no row was found.

When to ignore
    A procedure of administrators that may revive everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.definers import SECRET
from tools.rls.guards import guarded
from tools.rls.objects import Function, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import constant
from tools.rls.trust import trusts
from tools.rls.wording import body_in_short, listed, on_function, remark
from tools.rls.writes import assignments

_STATE: Final = re.compile(r"(^|_)(status|state)$")
_LIVE: Final = re.compile(r"^(accepted|active|approved|granted|given|confirmed|verified|live|enabled)$", re.I)
_EXPIRY: Final = re.compile(r"^(expires_(at|on)|expiry|expiry_date|ends_(at|on)|valid_(until|to))$")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function."""
    reached = reach(snapshot)
    deciding = {title for trust in trusts(snapshot) for title, _ in trust.identity}
    for function in snapshot.functions:
        if not function.definer or function.is_trigger or not snapshot.executors(function, api=False):
            continue
        body = body_of(function)
        if not body.complete:
            continue
        missing: dict[str, None] = {}
        words: set[str] = set()
        for relation, column, word in _revived(reached, function):
            ends = [name for name in relation.columns if _EXPIRY.search(name)]
            if not (ends or relation.title in deciding or any(map(SECRET.search, relation.columns))):
                continue
            held = guarded(reached, relation, "UPDATE") | _asked(reached, function, relation)
            names = [column] if column not in held else []
            names += ends if not held & set(ends) else []
            missing |= {f"{relation.title}.{name}": None for name in names}
            words |= {f"{relation.title}.{column} to '{word}'"} if names else set()
        if missing:
            yield on_function(
                "function_opens_untested_state", Level.WARN, function,
                f"{function.title} sets {listed(sorted(words))} without looking at {listed(missing)}:"
                " what was ended, used or expired comes to life.",
                evidence=body_in_short(function),
                fix=remark(f"test {listed(missing)} in the WHERE of the update"),
                rank=11,
            )  # fmt: skip


def _asked(reached: Reach, function: Function, relation: Relation) -> set[str]:
    """The columns that the function looks at in the table, or in a variable that may hold its row."""
    found: set[str] = set()
    for facts in body_of(function).everything():
        for column in facts.columns:
            origin = reached.column(column, path=reached.path(function))
            if origin is None or origin[0] is relation:
                found.add(column.name)
    return found


def _revived(reached: Reach, function: Function) -> Iterator[tuple[Relation, str, str]]:
    """Table, state column and word of every update that sets one to life."""
    for facts in body_of(function).facts:
        if facts.root.kind != "UpdateStmt" or not facts.written:
            continue
        relation = reached.relation(facts.written[0][1], reached.path(function))
        for column, value in assignments(facts.root, ()):
            word = constant(value)
            if relation is not None and isinstance(word, str) and _STATE.search(column) and _LIVE.match(word):
                yield relation, column, word


RULE = Rule(
    name="function_opens_untested_state",
    title="A procedure brings access to life without looking at the state that it was in",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
