"""Whose rows these are: columns that hold an account's id, rows that look published, columns that decide."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Final

from tools.rls.facts import Facts
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import conjuncts, disjuncts
from tools.rls.truth import SIGNED_IN, truth_of
from tools.rls.wording import personal, quoted

INTIMATE: Final = re.compile(
    r"(^|_)(e?mails?|phones?|mobile|address|street|zip|postal_?code|birth_?(date|day)|date_of_birth|dob|gender|ssn|"
    r"diagnos[ei]s|allerg(y|ies)|blood|medications?|dos(e|age)|symptoms?|conditions?|heart_rate|weight|glucose|"
    r"insurance|iban|salary|income|latitude|longitude|lat|lng|location|tokens?|password|secret)(_|$)"
)
_PUBLISHED: Final = re.compile(
    r"(^|_)(posts?|comments?|replies|likes?|follows|follow(ers|ing)|reviews?|ratings?|reactions?|votes?|articles?|"
    r"badges?|leaderboards?)$"
)
_SUBJECT: Final = re.compile(r"(^|_)(patient|child|person|dependent|pet)_(id|reference)$")


def is_account(snapshot: Snapshot, relation: Relation, column: str, depth: int = 0) -> bool:
    """Whether a column holds the id of an account: it leads to auth.users, perhaps through keys that do."""
    if relation.title == "auth.users":
        return column == "id"
    for key in relation.foreign_keys:
        target = snapshot.relations.get(key.target)
        if column in key.columns and target is not None and depth < 5:
            position = key.columns.index(column)
            if is_account(snapshot, target, key.target_columns[position], depth + 1):
                return True
    return False


def account_columns(snapshot: Snapshot, relation: Relation) -> list[str]:
    """Columns that hold an account's id, in the order of the foreign keys."""
    names = [name for key in relation.foreign_keys for name in key.columns]
    return [name for name in dict.fromkeys(names) if is_account(snapshot, relation, name)]


def published(snapshot: Snapshot, relation: Relation, seen: frozenset[str] = frozenset()) -> bool:
    """Whether rows look as if they were meant for everybody: posts and likes, or one card per account.

    Never where a column holds something intimate, or where rows are about somebody other than their author.
    """
    if any(INTIMATE.search(name) or _SUBJECT.search(name) for name in relation.columns):
        return False
    accounts = set(account_columns(snapshot, relation))
    for key in relation.foreign_keys:
        target = snapshot.relations.get(key.target)
        if target is None or target.title in seen | {relation.title} or accounts & set(key.columns):
            continue
        if personal(snapshot, target) and not published(snapshot, target, seen | {relation.title}):
            return False
    own = [key for key in relation.keys if key.kind in "pu" and len(key.columns) == 1]
    return bool(_PUBLISHED.search(relation.name)) or any(key.columns[0] in accounts for key in own)


def deciding_columns(reached: Reach, relation: Relation) -> set[str]:
    """Key columns, accounts left out, by which SELECT policies tell one caller's rows from another's."""
    snapshot = reached.snapshot
    keyed = {name for key in relation.foreign_keys for name in key.columns}
    found: set[str] = set()
    for policy in relation.policies:
        facts = policy.using
        if not policy.covers("SELECT") or facts is None:
            continue
        for way in disjuncts(facts.root):
            for part in conjuncts(way):
                inner = facts.within(part)
                if reached.identifies(inner) or through_policies(reached, inner):
                    found |= own_columns(reached, relation, inner)
    return {name for name in found & keyed if not is_account(snapshot, relation, name)}


def usual_condition(snapshot: Snapshot, relation: Relation, policy: Policy) -> str | None:
    """A condition for such rows: as neighbours with the same key have it, or the one account column."""
    command = "SELECT" if policy.command == "ALL" else policy.command
    usual = _usual(snapshot)
    used: Counter[str] = Counter()
    for key in relation.foreign_keys:
        if len(key.columns) == 1:
            used.update(usual.get((key.columns[0], key.target, command), {}))
    for own in relation.policies:
        used.pop(own.using_text or "", None)
    if used:
        return min(used, key=lambda text: (-used[text], text))
    accounts = [name for name in account_columns(snapshot, relation) if not name.endswith("_by")]
    return f"{quoted(accounts[0])} = (select auth.uid())" if len(accounts) == 1 else None


@lru_cache(maxsize=2)
def _usual(snapshot: Snapshot) -> dict[tuple[str, str, str], Counter[str]]:
    """How often each condition stands in policies for a command, by the single key column that it names."""
    found: dict[tuple[str, str, str], Counter[str]] = {}
    for relation in snapshot.tables:
        keys = {key.columns[0]: key.target for key in relation.foreign_keys if len(key.columns) == 1}
        for policy in relation.policies if keys else ():
            for command in ("SELECT", "INSERT", "UPDATE", "DELETE") if policy.permissive else ():
                facts = policy.check if command == "INSERT" else policy.using
                text = policy.check_text if command == "INSERT" else policy.using_text
                if not policy.covers(command) or facts is None or not text:
                    continue
                named = {c.name for c in facts.columns if not c.qualifier and c.block is facts.top}
                if facts.calls and len(named) == 1 and named <= set(keys) and len(facts.blocks) <= 2:
                    column = next(iter(named))
                    found.setdefault((column, keys[column], command), Counter())[text] += 1
    return found


def own_columns(reached: Reach, relation: Relation, facts: Facts) -> set[str]:
    """Columns of the policy's own row that an expression names."""
    return {c.name for c in facts.columns if reached.column(c, relation) == (relation, c.name)}


def author_columns(reached: Reach, relation: Relation, facts: Facts) -> set[str]:
    """The account columns that a condition compares with the caller, when it asks for nothing else about him.

    Empty where some part asks more: a staff role, the parent row, a column that is no account.
    """
    found: set[str] = set()
    for way in disjuncts(facts.root):
        for part in conjuncts(way):
            inner = facts.within(part)
            if not reached.identifies(inner) or truth_of(reached, part, relation) == SIGNED_IN:
                continue
            named = own_columns(reached, relation, inner)
            if not named or not all(is_account(reached.snapshot, relation, name) for name in named):
                return set()
            found |= named
    return found


def pinned(relation: Relation, policy: Policy, command: str) -> set[str]:
    """Columns that the policy, or a restrictive one for this command, says something about in a new row."""
    rows = [policy.new_row]
    rows += [p.new_row for p in relation.policies if not p.permissive and p.covers(command)]
    return {column.name for facts in rows if facts is not None for column in facts.columns}


def restrained(reached: Reach, relation: Relation, command: str) -> bool:
    """Whether a restrictive policy may keep callers apart: one about the row's own state alone does not."""
    for policy in relation.policies:
        facts = policy.new_row if command == "INSERT" else policy.using
        if policy.permissive or not policy.covers(command) or facts is None:
            continue
        tells = reached.identifies(facts) or through_policies(reached, facts)
        if tells or not own_columns(reached, relation, facts):
            return True
    return False


def through_policies(reached: Reach, facts: Facts) -> bool:
    """Whether a subquery reads a table whose own policies ask for the caller."""
    for source in facts.sources():
        table = reached.relation(source)
        if table is not None and table.rls and table.policies:
            reading = [p.using for p in table.policies if p.covers("SELECT") and p.using is not None]
            if reading and all(reached.identifies(one) for one in reading):
                return True
    return False
