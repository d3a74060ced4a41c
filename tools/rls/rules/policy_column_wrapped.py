"""A policy wraps the column, so that its index cannot be used.

What it finds
    Policies for reading, updating or deleting whose only condition compares a cast or a function of a
    column with the caller's value (user_id::text = auth.uid()::text, lower(email) = ...), where no index on
    such an expression exists.

Why it matters
    An index on the column serves the bare column only: every request reads the whole table.

Fix
    Cast the other side: user_id = (select auth.uid()); or create an index on the expression.

When to ignore
    Tables that stay tiny.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Facts
from tools.rls.mending import UID
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.sqltree import Node, conjuncts, disjuncts
from tools.rls.wording import altered, listed, on_policy, quoted, remark

_EXACT = frozenset({"uuid", "integer", "bigint"})
"""Types for which a cast on the column is work; varchar to text, say, is none."""


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    for relation in snapshot.tables:
        # An expression in an index is an empty name; which one it is, the catalog says in text only.
        if (
            not relation.rls
            or relation.schema in PLATFORM_SCHEMAS
            or any("" in i.columns for i in relation.indexes)
        ):
            continue
        for policy in relation.policies:
            columns = sorted(set(_wrapped(reached, relation, policy)))
            if columns:
                yield on_policy(
                    "policy_column_wrapped", Level.WARN, relation, policy,
                    f"Policy {policy.name} on {relation.title} wraps {listed(columns)} in a cast or function:"
                    " no index on it can be used.",
                    fix=_unwrapped(relation, policy, columns),
                    rank=59,
                )  # fmt: skip


def _wrapped(reached: Reach, relation: Relation, policy: Policy) -> Iterator[str]:
    facts = policy.using
    if facts is None or not policy.permissive or len(list(disjuncts(facts.root))) > 1:
        return
    found: list[str] = []
    for part in conjuncts(facts.root):
        if part.kind != "A_Expr" or part.words("name") != ("=",):
            continue
        for one, other in ((part.one("lexpr"), part.one("rexpr")), (part.one("rexpr"), part.one("lexpr"))):
            if one is None or other is None or not reached.identifies(facts.within(other)):
                continue
            if _column(relation, one):
                return  # a bare column beside it can use its index
            found += [
                name
                for name in [_inside(relation, one)]
                if name and not _own(reached, relation, facts, other)
            ]
    yield from found


def _own(reached: Reach, relation: Relation, facts: Facts, node: Node) -> bool:
    return any(reached.column(c, relation) == (relation, c.name) for c in facts.within(node).columns)


def _column(relation: Relation, node: Node) -> str:
    names = node.words("fields") if node.kind == "ColumnRef" else ()
    return names[-1] if names and names[-1] in relation.columns else ""


def _inside(relation: Relation, node: Node) -> str:
    """The column under a cast that costs something, or under a function of one argument."""
    inner = node.one("arg") if node.kind == "TypeCast" else None
    if inner is not None:
        name = _column(relation, inner)
        return name if name and relation.columns[name].type in _EXACT else _inside(relation, inner)
    arguments = node.many("args") if node.kind == "FuncCall" else ()
    if len(arguments) != 1:
        return ""
    argument = arguments[0]
    inner = argument.one("arg") if argument.kind == "TypeCast" else argument
    return _column(relation, inner) if inner is not None else ""


def _unwrapped(relation: Relation, policy: Policy, columns: list[str]) -> str:
    text = policy.using_text or ""
    for name in columns:
        column, caller = rf"\({re.escape(quoted(name))}\)::text", rf"\(*{UID}\)*(?:::text\)*)"
        plain = f"{quoted(name)} = (select auth.uid())"
        text = re.sub(rf"\({column} = {caller}|\({caller} = {column}", lambda _, to=plain: f"({to}", text)
    if text == (policy.using_text or ""):
        return remark(f"in {policy.title}: compare the bare column, or create an index on the expression")
    if text.count("(") != text.count(")"):
        text += ")" * (text.count("(") - text.count(")"))
    return altered(policy, relation, f"using ({text})")


RULE = Rule(
    name="policy_column_wrapped",
    title="A policy wraps the column, so that its index cannot be used",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
