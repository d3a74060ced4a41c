"""One table that decides about access may be updated as a whole, where its siblings grant columns.

What it finds
    A table that helpers or policies read to decide about access (grants, memberships, consents, accounts),
    on which signed-in callers hold UPDATE for every column, while all others of its kind that may be updated
    are granted column by column. Named are the columns that neither the policies nor a trigger hold: what the
    helpers test, keys, and what the server notes (created_at, granted_by).

Why it matters
    A default privilege or a GRANT written in haste undoes the column grants without a trace in the policies:
    who may end a membership can also date it back, take a revocation away or make it another person's.

Fix
    Revoke UPDATE on the table and grant it on the columns that callers edit.

When to ignore
    A table whose every column its writers may set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tools.findings import Finding, Level, Rule
from tools.rls.guards import guarded
from tools.rls.objects import Policy, Relation
from tools.rls.privileges import granted
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.trust import Place, trusts
from tools.rls.wording import listed, on_table, quoted, signed_in, table_name

_SIBLINGS: Final = 2
"""How many others must be granted by column for that to be the schema's way."""
_KEPT: Final = re.compile(r"_(at|by)$")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table; none where several are updated as a whole, as that is then the schema's way."""
    reached = reach(snapshot)
    deciding = _deciding(snapshot)
    whole: list[tuple[Relation, tuple[str, ...], list[Policy]]] = []
    limited = 0
    for title in sorted(deciding):
        relation = snapshot.relations[title]
        policies = [p for p in relation.policies if relation.rls and p.permissive and p.covers("UPDATE")]
        callers = signed_in({name for policy in policies for name in snapshot.addressed(policy)})
        free = tuple(n for n in callers if "UPDATE" in granted(relation.acl, snapshot.roles[n]))
        able = [n for n in callers if "UPDATE" in snapshot.may(snapshot.roles[n], relation)]
        if free:
            whole.append((relation, free, policies))
        elif able:
            limited += 1
    if len(whole) == 1 and limited >= _SIBLINGS:
        relation, callers, policies = whole[0]
        columns = _unheld(reached, relation, policies, deciding[relation.title])
        if columns:
            yield _finding(relation, callers, columns, limited)


def _deciding(snapshot: Snapshot) -> dict[str, set[Place]]:
    """The tables by which callers are looked up, with the columns that are asked on the way."""
    found: dict[str, set[Place]] = {}
    for trust in trusts(snapshot):
        places = {*trust.identity, *trust.resources, *trust.tests}
        for title in trust.tables:
            found.setdefault(title, set()).update(place for place in places if place[0] == title)
    return {title: places for title, places in found.items() if snapshot.reachable(title.partition(".")[0])}


def _unheld(reached: Reach, relation: Relation, policies: list[Policy], asked: set[Place]) -> list[str]:
    held = set(guarded(reached, relation, "UPDATE"))
    held |= {column.name for p in policies if p.new_row is not None for column in p.new_row.columns}
    wanted = {name for _, name in asked} | {name for key in relation.keys for name in key.columns}
    return [name for name in relation.columns if (name in wanted or _KEPT.search(name)) and name not in held]


def _finding(relation: Relation, callers: tuple[str, ...], columns: list[str], siblings: int) -> Finding:
    roles = ", ".join(quoted(name) for name in callers)
    kept = ", ".join(quoted(name) for name in relation.columns if name not in columns)
    return on_table(
        "access_table_update_unlimited", Level.WARN, relation,
        f"{listed(callers)} may update every column of {relation.title}, which decides about access, among"
        f" them {listed(columns)}, which no policy and no trigger holds.",
        evidence=f"the {siblings} other tables of its kind that may be updated grant single columns",
        fix=f"revoke update on {table_name(relation)} from {roles};\n"
        f"grant update ({kept}) on {table_name(relation)} to {roles};  -- or fewer",
        rank=12,
    )  # fmt: skip


RULE = Rule(
    name="access_table_update_unlimited",
    title="One table that decides about access may be updated as a whole, where its siblings grant columns",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
