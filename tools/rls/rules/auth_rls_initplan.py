"""The caller's identity is worked out again for every row.

What it finds
    Policies for reading, updating or deleting that call auth.uid(), auth.jwt(), auth.role(), auth.email(),
    current_setting() or a function of your own without arguments from the row, outside a scalar subquery.
    One finding per table. Policies for INSERT alone are left out: they look at one row per row written.

Why it matters
    Postgres runs such a call once per row it looks at. In a subquery it runs once per statement: on 100,000
    rows the difference is seconds against milliseconds.

Fix
    Write (select auth.uid()) in place of auth.uid(). The result is the same.

When to ignore
    Tables that stay tiny.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Call, Facts
from tools.rls.mending import once
from tools.rls.objects import Policy, Relation
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.sqltree import ANY, ARRAY, SCALAR
from tools.rls.wording import altered, counted, listed, on_table, text_of

_AUTH = frozenset({"uid", "jwt", "role", "email"})


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table, naming its policies and each call."""
    reached = reach(snapshot)
    for relation in snapshot.relations.values():
        if not relation.rls or (relation.schema in PLATFORM_SCHEMAS and relation.title != "storage.objects"):
            continue
        found: dict[str, tuple[Policy, list[str]]] = {}
        for policy in relation.policies:
            calls = sorted({name for part in policy.parts() for name in _per_row(reached, part)})
            if calls and policy.command != "INSERT":
                found[policy.name] = (policy, calls)
        if found:
            yield _finding(relation, list(found.values()))


def _finding(relation: Relation, found: list[tuple[Policy, list[str]]]) -> Finding:
    calls = sorted({call for _, several in found for call in several})
    names = listed(policy.name for policy, _ in found)
    several = (
        f"Policy {names} on {relation.title} calls"
        if len(found) == 1
        else f"{counted(len(found), 'policy', 'policies')} on {relation.title} ({names}) call"
    )
    return on_table(
        "auth_rls_initplan",
        Level.WARN,
        relation,
        f"{several} {listed(calls)} for each row instead of once per statement.",
        evidence="; ".join(f"{policy.name}: {text_of(policy)}" for policy, _ in found),
        fix="\n".join(_mended(relation, policy, several) for policy, several in found),
        rank=60,
    )


def _mended(relation: Relation, policy: Policy, calls: list[str]) -> str:
    names = [call.removesuffix("()") for call in calls]
    clauses = [
        f"{word} ({once(text, names)})"
        for word, text in (("using", policy.using_text), ("with check", policy.check_text))
        if text
    ]
    return altered(policy, relation, "\n  ".join(clauses))


def _per_row(reached: Reach, facts: Facts) -> Iterator[str]:
    for call in facts.calls:
        if _identity(reached, call) and not _wrapped(facts, call):
            yield f"{call.schema}.{call.name}()" if call.schema else f"{call.name}()"


def _identity(reached: Reach, call: Call) -> bool:
    if call.schema == "auth":
        return call.name in _AUTH
    if call.name == "current_setting" and call.schema in ("", "pg_catalog"):
        return True
    if any(node.kind == "ColumnRef" for argument in call.arguments for node in argument.walk()):
        return False
    return any(f.volatility != "i" and f.schema not in PLATFORM_SCHEMAS for f in reached.resolve(call))


def _wrapped(facts: Facts, call: Call) -> bool:
    """Whether some subquery around the call does not depend on the row: then it runs once."""
    for block in call.block.chain():
        if block.link not in (SCALAR, ARRAY, ANY):
            continue
        inside = [column for column in facts.columns if block in column.block.chain()]
        aliases = {s.alias for column in inside for b in column.block.chain() for s in b.sources}
        if all(column.qualifier in aliases for column in inside):
            return True
    return False


RULE = Rule(
    name="auth_rls_initplan",
    title="The caller's identity is worked out again for every row",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
