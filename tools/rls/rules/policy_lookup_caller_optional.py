"""One alternative of a look-up leaves the caller out.

What it finds
    Query blocks in policies, and in the functions that they call, which look the caller up in a grant, a
    membership or an account, and have an alternative (OR) that tests only the row: user_id = auth.uid() or
    status = 'active'. Alternatives that compare a parameter, and columns that say that a row is public, are
    left out.

Why it matters
    The look-up gives everybody's rows to every caller: whatever the policies open by it is open to all.
    Mostly brackets were lost, or AND was meant.

Fix
    AND in place of OR, or brackets: user_id = auth.uid() and (status = 'active' or ...).

When to ignore
    Memberships that open something to everybody on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Facts
from tools.rls.reach import Reach, identity_columns, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import EXISTS, alternatives
from tools.rls.trust import Trust, trusts
from tools.rls.wording import (
    body_in_short,
    function_name,
    listed,
    on_function,
    on_policy,
    rank,
    relying,
    remark,
)

_PUBLIC: Final = re.compile(r"(^|_)(public|published|shared|visib\w*|listed|open|private|discoverable)(_|$)")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy or function."""
    reached = reach(snapshot)
    found: dict[str, tuple[Trust, dict[str, None]]] = {}
    for trust in trusts(snapshot):
        columns = _left_out(reached, trust) if _decides(trust) else []
        if columns and trust.unit.title:
            found.setdefault(trust.unit.title, (trust, {}))[1].update(dict.fromkeys(columns))
    for trust, columns in found.values():
        yield from _findings(snapshot, reached, trust, listed(columns))


def _decides(trust: Trust) -> bool:
    """Whether it opens what somebody was granted, or answers yes or no about the caller himself."""
    granted = {title for title, _ in trust.identity} - trust.owners()
    alone = trust.unit.block.link == EXISTS and not trust.resources
    return bool(granted and trust.resources) or alone


def _left_out(reached: Reach, trust: Trust) -> list[str]:
    """The columns that an alternative tests without the caller; none where every one asks for him."""
    unit, test = trust.unit, trust.unit.block.test
    if test is None:
        return []
    inside = {id(node) for node in test.walk()}
    if not all(id(node) in inside for c, node in identity_columns(unit.facts) if c.block is unit.block):
        return []  # a join asks for the caller
    for parts in alternatives(test):
        every = [unit.facts.within(part) for part in parts]
        if not any(reached.identifies(one, unit.path) for one in every):
            told = [list(_columns(trust, one)) for one in every]
            # A part about a parameter alone (wanted = 'admin') ties the alternative to nobody.
            names = [name for each in told if set(each) != {""} for name in each]
            if names and "" not in names and not any(_PUBLIC.search(name) for name in names):
                return names
    return []


def _columns(trust: Trust, facts: Facts) -> Iterator[str]:
    """The columns of the block's own tables; an empty name for a parameter or a column from outside."""
    if any(node.kind == "ParamRef" for node in facts.root.walk()):
        yield ""
    own = {source.alias for source in trust.unit.block.sources}
    names = {name for r in (*trust.tables.values(), *trust.views) for name in r.columns}
    for column in facts.columns:
        known = column.qualifier in own if column.qualifier else column.name in names
        yield column.name if known or column.block is not trust.unit.block else ""


def _findings(snapshot: Snapshot, reached: Reach, trust: Trust, columns: str) -> Iterator[Finding]:
    unit = trust.unit
    tables = listed(sorted({title for title, _ in trust.identity}))
    if unit.policy is not None:
        relation = snapshot.relations[unit.policy.relation]
        yield on_policy(
            "policy_lookup_caller_optional", Level.ERROR, relation, unit.policy,
            f"Policy {unit.policy.name} on {relation.title} looks the caller up in {tables}, and an"
            f" alternative on {columns} leaves him out: it holds for everybody.",
            fix=remark(f"in {unit.policy.title}: ask for the caller in every alternative"),
            rank=rank(snapshot, relation, snapshot.addressed(unit.policy)),
        )  # fmt: skip
    elif unit.function is not None and unit.function.oid in reached.policy_functions:
        _, policies = reached.policy_functions[unit.function.oid]
        ranks = [rank(snapshot, snapshot.relations[p.relation], snapshot.addressed(p)) for p in policies]
        yield on_function(
            "policy_lookup_caller_optional", Level.ERROR, unit.function,
            f"{unit.function.title} looks the caller up in {tables}, and an alternative on {columns} leaves"
            f" him out: it gives the same to everybody; {relying(policies)}.",
            evidence=body_in_short(unit.function),
            fix=remark(f"in {function_name(unit.function)}: ask for the caller in every alternative"),
            rank=min(ranks),
        )  # fmt: skip


RULE = Rule(
    name="policy_lookup_caller_optional",
    title="One alternative of a look-up leaves the caller out",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
