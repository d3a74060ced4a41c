"""A block list cannot be seen by those whom it blocks.

What it finds
    NOT EXISTS or NOT IN in a policy over a table with row level security, where the subquery looks for rows
    that name the caller in one column while the SELECT policies of that table show rows only to whoever
    stands in another column (or to nobody). Functions that run as their owner see all rows and are left
    out.

Why it matters
    A subquery in a policy runs with the caller's rights. Whoever is blocked does not see the row that
    blocks him, so that NOT EXISTS is true and the block has no effect.

Fix
    Ask in a security definer function, or show the row to both sides.

When to ignore
    Never: the condition does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Facts
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, identity_columns, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import ANY, EXISTS, NOT, Node, bare, disjuncts
from tools.rls.wording import listed, on_policy, rank, remark

_ALL = 2
"""SubLink type of `<> ALL (select ...)`."""


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    for relation in snapshot.relations.values():
        for policy in relation.policies if relation.rls else ():
            callers = snapshot.addressed(policy)
            tables = sorted({t for part in policy.parts() for t in _hidden(reached, policy, part, callers)})
            if tables:
                yield on_policy(
                    "policy_negative_lookup_hidden", Level.ERROR, relation, policy,
                    f"Policy {policy.name} on {relation.title} asks that no row of {listed(tables)} names the"
                    f" caller, and the policies there hide such rows from him: the condition always holds.",
                    fix=remark(
                        f"in {policy.title}: ask a security definer function that reads {listed(tables)},",
                        "or give that table a SELECT policy for whoever is named in the row",
                    ),
                    rank=rank(snapshot, relation, callers) + 1,
                )  # fmt: skip


def _hidden(reached: Reach, policy: Policy, facts: Facts, callers: tuple[str, ...]) -> Iterator[str]:
    for node in _negated(facts.root) if any(block.sources for block in facts.blocks) else ():
        query = node.one("subselect")
        inner = facts.within(query) if query is not None else None
        for column, _ in identity_columns(inner) if inner is not None else ():
            found = reached.column(column)
            table = found[0] if found is not None else None
            if table is None or not (table.is_table and table.rls) or table.title == policy.relation:
                continue
            if not _shown(reached, table, column.name, callers):
                yield table.title


def _negated(root: Node) -> Iterator[Node]:
    for node in root.walk():
        if node.kind == "BoolExpr" and node.number("boolop") == NOT:
            inner = bare(node.many("args")[0])
            if (
                inner is not None
                and inner.kind == "SubLink"
                and inner.number("sub_link_type") in (EXISTS, ANY)
            ):
                yield inner
        elif node.kind == "SubLink" and node.number("sub_link_type") == _ALL:
            yield node


def _shown(reached: Reach, table: Relation, asked: str, callers: tuple[str, ...]) -> bool:
    """Whether some SELECT policy may show a caller the rows that name him in this column."""
    for policy in table.policies:
        facts = policy.using
        applies = set(reached.snapshot.addressed(policy)) & set(callers)
        if not policy.permissive or not policy.covers("SELECT") or facts is None or not applies:
            continue
        for way in disjuncts(facts.root):
            inner = facts.within(way)
            names = {column.name for column, _ in identity_columns(inner)}
            # A way that asks in any other manner than `column = caller` is not understood: it may show them.
            if not names or asked in names or any(block.sources for block in inner.blocks):
                return True
            if any(call.schema not in ("auth", "") for call in inner.calls):
                return True
    return False


RULE = Rule(
    name="policy_negative_lookup_hidden",
    title="A block list cannot be seen by those whom it blocks",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
