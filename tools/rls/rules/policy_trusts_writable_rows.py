"""Callers can write the rows that decide about their own access.

What it finds
    Tables in which policies look the caller up (grants, memberships, provider registries), also through
    functions and views, where an INSERT policy leaves the opened profile or family to the caller, or an
    UPDATE policy lets the grantee change what is tested (status, expiry, level, role, verification). Column
    privileges, values pinned by the policy and triggers that name the column and can refuse or overwrite are
    taken into account; a trigger that only notifies is no guard.

Why it matters
    Two permitted requests: grant yourself access, join a family whose id you know, un-revoke yourself, verify
    yourself as provider. Then read.

Fix
    On INSERT compare the opened profile with what the caller owns; on UPDATE leave the deciding columns out
    of the privileges (grant update (note) on ...), and let a procedure with checks change them.

When to ignore
    Open communities that anybody may join; the table must then open nothing but that.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Facts
from tools.rls.guards import guarded
from tools.rls.objects import Policy, Relation
from tools.rls.outcomes import Asked, outcome
from tools.rls.reach import Reach, identity_columns, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import IS_NULL, Node, bare, conjuncts, constant, disjuncts
from tools.rls.trust import Trust, trusts
from tools.rls.wording import altered, listed, on_policy, quoted, signed_in, table_name

_STAMPS = frozenset({"created_at", "inserted_at"})


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy that lets a caller write what is trusted."""
    reached = reach(snapshot)
    inserts: dict[str, tuple[Relation, Policy, set[str]]] = {}
    updates: dict[str, tuple[Relation, Policy, set[str]]] = {}
    for trust in trusts(snapshot):
        for table in trust.tables.values():
            if not table.rls or table.title in trust.owners():
                continue
            for policy in table.policies:
                if not policy.permissive or trust.unit.policy is policy:
                    continue
                if (opened := _free_resource(snapshot, reached, trust, table, policy)):  # fmt: skip
                    inserts.setdefault(policy.title, (table, policy, set()))[2].update(opened)
                if (columns := _own_lifecycle(snapshot, reached, trust, table, policy)):  # fmt: skip
                    updates.setdefault(policy.title, (table, policy, set()))[2].update(columns)
    for table, policy, opened in inserts.values():
        yield on_policy(
            "policy_trusts_writable_rows", Level.ERROR, table, policy,
            f"Policy {policy.name} lets {listed(_callers(snapshot, reached, policy))} insert rows of"
            f" {table.title} with any"
            f" {listed(sorted(opened))}, and other policies believe these rows: callers open it to"
            " themselves.",
            fix=altered(policy, table, f"with check ({policy.check_text or policy.using_text}\n    and"
            f" {quoted(sorted(opened)[0])} = any (array(select <what the caller owns>)))"),
            rank=3,
        )  # fmt: skip
    for table, policy, columns in updates.values():
        roles = listed(quoted(name) for name in _callers(snapshot, reached, policy))
        yield on_policy(
            "policy_trusts_writable_rows", Level.ERROR, table, policy,
            f"Policy {policy.name} lets callers change {listed(sorted(columns))} of their own row in"
            f" {table.title},"
            " by which other policies decide about their access.",
            fix=_column_grants(reached, table, columns, roles),
            rank=4,
        )  # fmt: skip


def _column_grants(reached: Reach, table: Relation, deciding: set[str], roles: str) -> str:
    """UPDATE on the columns that neither decide, nor name the row or its owner."""
    keys = {column for key in table.keys if key.kind in "pf" for column in key.columns}
    kept = {column for column in table.columns if column.endswith(("_by", "_id"))} | keys | deciding
    free = [quoted(name) for name in table.columns if name not in kept and name not in _STAMPS]
    lines = [f"revoke update on {table_name(table)} from {roles};"]
    if free:
        lines.append(f"grant update ({', '.join(free)}) on {table_name(table)} to {roles};")
    return "\n".join(lines)


def _callers(snapshot: Snapshot, reached: Reach, policy: Policy) -> tuple[str, ...]:
    """Who can meet the policy: not anon where the new row must name the caller."""
    addressed = snapshot.addressed(policy)
    return signed_in(addressed) if policy.new_row and reached.identifies(policy.new_row) else addressed


def _free_resource(
    snapshot: Snapshot, reached: Reach, trust: Trust, table: Relation, policy: Policy
) -> list[str]:
    """Resource columns that an INSERT under this policy may set to anything."""
    check = policy.new_row
    if not policy.covers("INSERT") or check is None:
        return []
    restricted = {
        c.name
        for p in table.policies
        if not p.permissive and p.covers("INSERT") and p.new_row
        for c in p.new_row.columns
    }
    ways = [way for way in disjuncts(check.root) if _passable(snapshot, reached, table, policy, way)]
    free: list[str] = []
    for title, column in sorted(trust.resources) if ways else ():
        if title != table.title or column in guarded(reached, table, "INSERT") | restricted | _own_key(table):
            continue
        if not any(
            snapshot.may_column(snapshot.roles[name], table, column, "INSERT")
            for name in _callers(snapshot, reached, policy)
        ):
            continue
        if any(_leaves(reached, trust, table, check, way, column) for way in ways):
            free.append(column)
    return free


def _passable(snapshot: Snapshot, reached: Reach, table: Relation, policy: Policy, way: Node) -> bool:
    """Whether some caller can meet an alternative at all: not false, and not for service_role alone."""
    return any(
        True in outcome(Asked(reached, name, signed_in=name != "anon", own=table), way)
        for name in _callers(snapshot, reached, policy)
    )


def _own_key(table: Relation) -> set[str]:
    """Columns that are unique alone: a value that others have cannot be written."""
    return {key.columns[0] for key in table.keys if key.kind in "pu" and len(key.columns) == 1}


def _leaves(reached: Reach, trust: Trust, table: Relation, check: Facts, way: Node, column: str) -> bool:
    for part in conjuncts(way):
        facts = check.within(part)
        own = {c.name for c in facts.columns if reached.column(c, table) == (table, c.name)}
        if column in own or (not own and reached.identifies(facts)) or _contradicts(trust, table, part):
            return False
    return True


def _contradicts(trust: Trust, table: Relation, part: Node) -> bool:
    """A pin such as status = 'unverified' where access needs 'verified', or expires_at is null."""
    if part.kind == "NullTest" and part.number("nulltesttype") == IS_NULL:
        column = bare(part.one("arg"))
        return (
            column is not None
            and column.kind == "ColumnRef"
            and (table.title, column.words("fields")[-1]) in trust.tests
        )
    if part.kind != "A_Expr" or part.words("name") != ("=",):
        return False
    column, value = bare(part.one("lexpr")), constant(part.one("rexpr"))
    if column is None or column.kind != "ColumnRef" or value is None:
        return False
    wanted = trust.tests.get((table.title, column.words("fields")[-1]), set())
    return bool(wanted) and str(value) not in wanted


def _own_lifecycle(
    snapshot: Snapshot, reached: Reach, trust: Trust, table: Relation, policy: Policy
) -> list[str]:
    """Tested columns that the grantee may change in the row that names him."""
    using, check = policy.using, policy.new_row
    if not policy.covers("UPDATE") or using is None or check is None:
        return []
    mine = {column for title, column in trust.caller_places() if title == table.title}
    if not any(_is_mine(reached, using, way, mine) for way in disjuncts(using.root)):
        return []
    kept = {c.name for c in check.columns} | guarded(reached, table, "UPDATE") | mine | _own_key(table)
    callers = [snapshot.roles[name] for name in _callers(snapshot, reached, policy)]
    return sorted(
        column
        for title, column in trust.tests
        if title == table.title
        and column not in kept
        and any(snapshot.may_column(role, table, column, "UPDATE") for role in callers)
    )


def _is_mine(reached: Reach, using: Facts, way: Node, mine: set[str]) -> bool:
    """Whether being the grantee is enough: every part compares him, or a constant."""
    found = False
    for part in conjuncts(way):
        facts = using.within(part)
        named = {column.name for column, _ in identity_columns(facts)}
        if named & mine and part.words("name") == ("=",):
            found = True
        elif reached.identifies(facts):
            return False
    return found


RULE = Rule(
    name="policy_trusts_writable_rows",
    title="Callers can write the rows that decide about their own access",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
