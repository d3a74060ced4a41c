"""A profile's id is compared with the account's id.

What it finds
    A column compared with auth.uid() whose foreign key leads to a table that has an id of its own and a
    separate column for the account: profile_id = auth.uid(), where profiles.id is not auth.users.id. Also a
    table's own generated key compared so, when the table names its owner in another column.

Why it matters
    The two ids never meet: the policy is false for everybody and the screen stays empty. People then
    "repair" it with using (true).

Fix
    Look the profile up: profile_id in (select id from profiles where owner_id = (select auth.uid())).

When to ignore
    Never, unless the ids are copied on purpose without a foreign key saying so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.accounts import account_columns, is_account
from tools.rls.bodies import body_of
from tools.rls.facts import Facts
from tools.rls.mending import UID
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, identity_columns, reach
from tools.rls.snapshot import Snapshot
from tools.rls.wording import (
    altered,
    body_in_short,
    function_name,
    listed,
    on_function,
    on_policy,
    quoted,
    relying,
    remark,
    table_name,
)


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy or function."""
    reached = reach(snapshot)
    for relation in snapshot.relations.values():
        for policy in relation.policies:
            wrong = sorted({name for part in policy.parts() for name in _wrong(reached, part, relation, ())})
            if wrong:
                yield on_policy(
                    "policy_compares_wrong_id", Level.ERROR, relation, policy,
                    f"Policy {policy.name} compares {listed(wrong)} with auth.uid(), which is the id"
                    " of another thing:"
                    " it is never true and closes the rows to their owners.",
                    fix=_looked_up(snapshot, relation, policy)
                    or altered(policy, relation, "using (<profile> in (select id from <profiles>"
                    " where <owner> = (select auth.uid())))"),
                    rank=28,
                )  # fmt: skip
    for function, policies in reached.policy_functions.values():
        path = reached.path(function)
        wrong = sorted({name for one in body_of(function).facts for name in _wrong(reached, one, None, path)})
        if wrong:
            yield on_function(
                "policy_compares_wrong_id", Level.ERROR, function,
                f"{function.title} compares {listed(wrong)} with auth.uid(), which is the id of"
                " another thing;"
                f" {relying(policies)}.",
                evidence=body_in_short(function),
                fix=remark(f"create or replace {function_name(function)}, comparing the account's column"),
                rank=28,
            )  # fmt: skip


def _looked_up(snapshot: Snapshot, relation: Relation, policy: Policy) -> str | None:
    """The policy with each comparison turned into a look-up, where one table and one owner column fit."""
    clauses: list[str] = []
    changed = False
    for word, text in (("using", policy.using_text), ("with check", policy.check_text)):
        if text is None:
            continue
        mended = text
        for key in relation.foreign_keys:
            target = snapshot.relations.get(key.target)
            owners = _owner_columns(snapshot, target) if target is not None else []
            if target is None or len(key.columns) != 1 or len(owners) != 1:
                continue
            name = rf"(?:{re.escape(quoted(relation.name))}\.)?{re.escape(quoted(key.columns[0]))}"
            rows = f"from {table_name(target)} where {quoted(owners[0])} = (select auth.uid())"
            lookup = f"{quoted(key.columns[0])} in (select {quoted(key.target_columns[0])} {rows})"
            mended = re.sub(
                rf"(?<![\w.\"]){name} = {UID}|{UID} = {name}(?![\w.\"])", lambda _, to=lookup: to, mended
            )
        changed |= mended != text
        clauses.append(f"{word} ({mended})")
    return altered(policy, relation, "\n  ".join(clauses)) if changed else None


def _wrong(reached: Reach, facts: Facts, own: Relation | None, path: tuple[str, ...]) -> Iterator[str]:
    for column, comparison in identity_columns(facts):
        found = reached.column(column, own, path)
        if found is not None and _of_account(facts.within(comparison)) and _foreign(reached.snapshot, *found):
            yield f"{found[0].title}.{found[1]}"


def _of_account(comparison: Facts) -> bool:
    """Whether the identity is the account's id: auth.uid() or the claim sub, and no other claim.

    What a subquery looks up by the caller, as in sales_id = (select id from sales where ...), is not his id.
    """
    if any(True for _ in comparison.sources()):
        return False
    plain = [call for call in comparison.calls if (call.schema, call.name) == ("auth", "uid")]
    words = {word.strip("{}").rpartition(".")[2] for word in comparison.constants}
    return bool(plain) or "sub" in words


def _foreign(snapshot: Snapshot, relation: Relation, column: str) -> bool:
    """Whether the column surely holds something other than an account's id."""
    if is_account(snapshot, relation, column):
        return False
    keys = [key for key in relation.foreign_keys if column in key.columns]
    for key in keys:
        target = snapshot.relations.get(key.target)
        if target is not None and _names_owner(snapshot, target):
            return True
    primary = relation.primary_key == (column,)
    return primary and not keys and _names_owner(snapshot, relation)


def _names_owner(snapshot: Snapshot, relation: Relation) -> bool:
    """Whether the table has a column, not its key, that is an account's id."""
    return bool(_owner_columns(snapshot, relation))


def _owner_columns(snapshot: Snapshot, relation: Relation) -> list[str]:
    accounts = account_columns(snapshot, relation)
    return [name for name in accounts if name not in relation.primary_key and not name.endswith("_by")]


RULE = Rule(
    name="policy_compares_wrong_id",
    title="A profile's id is compared with the account's id",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
