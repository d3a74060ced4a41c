"""A look-up asks whether anybody is an admin, not whether the caller is.

What it finds
    A subquery in a policy, or a boolean function without arguments that policies rely on, which reads a
    table of accounts (auth.users, or a table with a foreign key to it), tests something there, and mentions
    neither the row nor the caller: exists (select 1 from profiles where role = 'admin'). Tables whose own
    policies show a caller the own rows only are left out, unless the function runs as its owner.

Why it matters
    The answer is the same for everybody: as soon as one admin exists, every caller is one.

Fix
    Compare the caller: where id = (select auth.uid()) and role = 'admin'.

When to ignore
    A switch that is meant to hold for everybody and happens to be kept in a table of accounts.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.accounts import account_columns, through_policies
from tools.rls.bodies import body_of
from tools.rls.facts import Column, Facts
from tools.rls.objects import Function, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.sqltree import ANY, EXISTS, SCALAR, Node
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


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy or function."""
    reached = reach(snapshot)
    for relation in snapshot.relations.values():
        for policy in relation.policies if relation.rls else ():
            tables = sorted({t for part in policy.parts() for t in _anybody(reached, relation, part)})
            callers = snapshot.addressed(policy)
            if tables and policy.permissive and callers:
                yield on_policy(
                    "policy_lookup_without_caller", Level.ERROR, relation, policy,
                    f"Policy {policy.name} on {relation.title} asks whether any row of {listed(tables)} fits:"
                    f" as soon as one does, {listed(callers)} pass.",
                    fix=remark(f"in {policy.title}: and <account> = (select auth.uid()) in the subquery"),
                    rank=rank(snapshot, relation, callers),
                )  # fmt: skip
    for function, policies in reached.policy_functions.values():
        tables = _answers_for_all(reached, function)
        if tables:
            relations = [snapshot.relations[policy.relation] for policy in policies]
            callers = {name for policy in policies for name in snapshot.addressed(policy)}
            yield on_function(
                "policy_lookup_without_caller", Level.ERROR, function,
                f"{function.title} asks whether any row of {listed(tables)} fits, not whether the caller's"
                f" does; {relying(policies)}.",
                evidence=body_in_short(function),
                fix=remark(f"in {function_name(function)}: and <account> = (select auth.uid())"),
                rank=min(rank(snapshot, relation, callers) for relation in relations),
            )  # fmt: skip


def _anybody(reached: Reach, own: Relation, facts: Facts) -> Iterator[str]:
    for node in facts.root.walk() if any(block.sources for block in facts.blocks) else ():
        kind = node.number("sub_link_type") if node.kind == "SubLink" else 0
        query = node.one("subselect")
        if kind not in (EXISTS, ANY, SCALAR) or query is None or query.one("where_clause") is None:
            continue
        test = node.one("testexpr")
        if kind == ANY and (test is None or _varies(facts.within(test))):
            continue
        inner = facts.within(query)
        if any(_means_row(reached, column, own) for column in inner.columns):
            continue
        if reached.identifies(inner) or through_policies(reached, inner):
            continue
        yield from _accounts(reached, inner, ())


def _varies(facts: Facts) -> bool:
    return bool(facts.columns or facts.calls)


def _means_row(reached: Reach, column: Column, own: Relation) -> bool:
    """Whether a reference means the policy's row and not a source of its own query."""
    sources = [source for block in column.block.chain() for source in block.sources]
    inside = any(
        source.alias == column.qualifier or (not column.qualifier and reached.relation(source) is own)
        for source in sources
    )
    return not inside and reached.column(column, own) == (own, column.name)


def _accounts(reached: Reach, facts: Facts, path: tuple[str, ...]) -> Iterator[str]:
    for source in facts.sources():
        table = reached.relation(source, path)
        for one in reached.base_tables(table) if table is not None else ():
            if one.title == "auth.users" or account_columns(reached.snapshot, one):
                yield one.title


def _answers_for_all(reached: Reach, function: Function) -> list[str]:
    """Account tables that a yes-or-no function without arguments reads without asking who is calling."""
    body = body_of(function)
    if function.returns != "boolean" or function.arguments or function.argument_types:
        return []
    if function.schema in PLATFORM_SCHEMAS or not body.complete or body.dynamic or reached.speaks(function):
        return []
    found: set[str] = set()
    for facts in body.facts:
        if not function.definer and through_policies(reached, facts):
            return []
        if _tests(facts.root):
            found.update(_accounts(reached, facts, reached.path(function)))
    return sorted(found)


def _tests(root: Node) -> bool:
    return any(node.one("where_clause") is not None for node in root.walk())


RULE = Rule(
    name="policy_lookup_without_caller",
    title="A look-up asks whether anybody is an admin, not whether the caller is",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
