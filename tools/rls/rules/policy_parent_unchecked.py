"""Rows can be written under somebody else's profile, room or organisation.

What it finds
    INSERT and UPDATE policies that compare the author with the caller and say nothing about the parent (the
    profile, room or organisation by which the table's SELECT policies decide who reads), where a caller may
    write that column, no trigger that can refuse names it, and no composite foreign key ties it to a column
    that is checked; also where only one alternative of an OR says nothing about the parent that the others
    check, and asks about another key instead (brackets that were lost). Membership tables are left to
    policy_trusts_writable_rows.

Why it matters
    Whoever knows or guesses an id writes into another family's record, chat or tenant, under the own name: a
    dose that was never given, a message in a room that one was put out of.

Fix
    Ask for the parent as well: with check (author_id = (select auth.uid()) and <the condition of the SELECT
    policy>). For updates, revoking UPDATE on the column is as good.

When to ignore
    Columns that anybody may address on purpose, such as a public feedback form per organisation.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.accounts import author_columns, deciding_columns, is_account, own_columns, pinned
from tools.rls.guards import guarded
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import Node, conjuncts, disjuncts
from tools.rls.trust import Place, trusts
from tools.rls.wording import altered, listed, on_policy, personal, signed_in


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy, naming the parents that it leaves open."""
    reached = reach(snapshot)
    trusted = {place for trust in trusts(snapshot) for place in _opened(trust.resources, trust.identity)}
    for relation in snapshot.tables:
        writing = [p for p in relation.policies if p.permissive and p.command in ("INSERT", "UPDATE", "ALL")]
        deciding = deciding_columns(reached, relation) if relation.rls and writing else set[str]()
        deciding -= {name for title, name in trusted if title == relation.title}
        for policy in writing if deciding else ():
            left = {
                command: columns
                for command in ("INSERT", "UPDATE")
                if policy.covers(command) and (columns := _left(reached, relation, policy, command, deciding))
            }
            if left:
                yield _finding(snapshot, reached, relation, policy, left)
            elif loose := _alternative(reached, relation, policy, deciding):
                yield _of_alternative(snapshot, reached, relation, policy, *loose)


def _alternative(
    reached: Reach, relation: Relation, policy: Policy, deciding: set[str]
) -> tuple[set[str], set[str]] | None:
    """What one alternative asks about, and the parents that it leaves to the caller while others check them.

    One that asks about no column of the row (staff) is meant to reach everything. One that asks for the
    author alone checks nothing in a new row; without a parent, where there need not be one, it is meant.
    """
    rows, snapshot = policy.new_row, reached.snapshot
    commands = [command for command in ("INSERT", "UPDATE") if policy.covers(command)]
    ways = list(disjuncts(rows.root)) if rows is not None and commands else []
    asked = [_asked(reached, relation, policy, way) for way in ways]
    callers = [snapshot.roles[name] for name in signed_in(snapshot.addressed(policy))]
    for way, own in zip(ways, asked, strict=True):
        named = own_columns(reached, relation, rows.within(way)) if rows is not None else set[str]()
        author = any(is_account(snapshot, relation, name) for name in own)
        if not own or own & deciding or (author and "INSERT" not in commands):
            continue
        others = {name for other in asked if other is not own for name in other}
        tied = {name for key in relation.foreign_keys if named & set(key.columns) for name in key.columns}
        left = {
            name
            for command in (["INSERT"] if author else commands)
            for name in (deciding & others) - named - tied - guarded(reached, relation, command)
            if any(snapshot.may_column(role, relation, name, command) for role in callers)
            and not any(name in kept for kept in _restricted(relation, command))
            and (relation.columns[name].required or not author)
        }
        if left:
            return own, left
    return None


def _asked(reached: Reach, relation: Relation, policy: Policy, way: Node) -> set[str]:
    """The columns of the row that an alternative compares with what belongs to the caller."""
    facts = policy.new_row
    parts = [facts.within(part) for part in conjuncts(way)] if facts is not None else []
    return {name for one in parts if reached.identifies(one) for name in own_columns(reached, relation, one)}


def _restricted(relation: Relation, command: str) -> Iterator[set[str]]:
    """The columns that restrictive policies look at in a new row."""
    for policy in relation.policies:
        if not policy.permissive and policy.covers(command) and policy.new_row is not None:
            yield {column.name for column in policy.new_row.columns}


def _of_alternative(
    snapshot: Snapshot, reached: Reach, relation: Relation, policy: Policy, own: set[str], left: set[str]
) -> Finding:
    verbs = {"INSERT": "insert rows into", "UPDATE": "move rows of", "ALL": "insert and move rows of"}
    old = policy.check_text or policy.using_text or ""
    return on_policy(
        "policy_parent_unchecked", Level.ERROR, relation, policy,
        f"Policy {policy.name} lets {listed(signed_in(snapshot.addressed(policy)))} {verbs[policy.command]}"
        f" {relation.title} under any {listed(sorted(left))}, other people's too: its alternative on"
        f" {listed(sorted(own))} says nothing about {'it' if len(left) == 1 else 'them'}.",
        fix=altered(policy, relation, f"with check (({old}) and {_reading(reached, relation, left)})"),
        rank=6 if personal(snapshot, relation) else 30,
    )  # fmt: skip


def _finding(
    snapshot: Snapshot, reached: Reach, relation: Relation, policy: Policy, left: dict[str, list[str]]
) -> Finding:
    columns = sorted({name for several in left.values() for name in several})
    verbs = {"INSERT": "insert rows into", "UPDATE": "move their own rows of"}
    old = policy.check_text or policy.using_text or ""
    reading = _reading(reached, relation, set(columns))
    return on_policy(
        "policy_parent_unchecked", Level.ERROR, relation, policy,
        f"Policy {policy.name} lets {listed(signed_in(snapshot.addressed(policy)))}"
        f" {listed(verbs[command] for command in left)} {relation.title} under any {listed(columns)}, other"
        " people's too: it checks only that they are the author.",
        fix=altered(policy, relation, f"with check ({old} and {reading})"),
        rank=6 if personal(snapshot, relation) else 30,
    )  # fmt: skip


def _left(reached: Reach, relation: Relation, policy: Policy, command: str, deciding: set[str]) -> list[str]:
    snapshot, new_row = reached.snapshot, policy.new_row
    callers = [snapshot.roles[name] for name in signed_in(snapshot.addressed(policy))]
    if new_row is None or not callers or not author_columns(reached, relation, new_row):
        return []
    kept = pinned(relation, policy, command) | guarded(reached, relation, command)
    tied = {name for key in relation.foreign_keys if kept & set(key.columns) for name in key.columns}
    return sorted(
        name
        for name in deciding - kept - tied
        if any(snapshot.may_column(role, relation, name, command) for role in callers)
    )


def _reading(reached: Reach, relation: Relation, columns: set[str]) -> str:
    """The condition by which the table is read, as far as it looks at these columns."""
    texts = [
        policy.using_text
        for policy in relation.policies
        if policy.permissive and policy.covers("SELECT") and policy.using is not None and policy.using_text
        and own_columns(reached, relation, policy.using) & columns
    ]  # fmt: skip
    return f"({' or '.join(dict.fromkeys(texts))})"


def _opened(resources: set[Place], identity: set[Place]) -> set[Place]:
    """What a membership opens: its own columns beside the one that names the member."""
    return {place for place in resources if any(title == place[0] for title, _ in identity)}


RULE = Rule(
    name="policy_parent_unchecked",
    title="Rows can be written under somebody else's profile, room or organisation",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
