"""A policy calls a function that is declared immutable and asks who is calling.

What it finds
    Functions declared IMMUTABLE that read auth.uid(), auth.jwt(), a setting or a table, and that a policy
    calls without a column of the row as argument.

Why it matters
    Postgres works out an immutable call while it plans and keeps the value in the plan. PostgREST and
    poolers reuse plans for the next request: the next caller is taken for the one before and sees that
    person's rows.

Fix
    alter function ... stable.

When to ignore
    Never.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.objects import Function, Policy
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import function_name, on_function, rank, relying


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function."""
    reached = reach(snapshot)
    found: dict[int, tuple[Function, list[Policy]]] = {}
    for policy in snapshot.policies:
        called: dict[int, Function] = {}
        for part in policy.parts():
            for call in part.calls:
                if not any(node.kind == "ColumnRef" for one in call.arguments for node in one.walk()):
                    called.update({f.oid: f for f in reached.resolve(call) if _frozen(reached, f)})
        for oid, function in called.items():
            found.setdefault(oid, (function, []))[1].append(policy)
    for function, policies in found.values():
        callers = {name for policy in policies for name in snapshot.addressed(policy)}
        yield on_function(
            "policy_function_immutable", Level.ERROR, function,
            f"{function.title} depends on who is calling and is declared immutable: a plan that is used again"
            f" keeps the answer for somebody else; {relying(policies)}.",
            evidence=f"provolatile is i; {' '.join(function.body.split())[:300]}",
            fix=f"alter function {function_name(function)} stable;",
            rank=min(rank(snapshot, snapshot.relations[policy.relation], callers) for policy in policies),
        )  # fmt: skip


def _frozen(reached: Reach, function: Function) -> bool:
    if function.volatility != "i" or function.schema in PLATFORM_SCHEMAS:
        return False
    reads = any(True for f in reached.closure([function]) for one in body_of(f).facts for _ in one.sources())
    return reads or reached.speaks(function)


RULE = Rule(
    name="policy_function_immutable",
    title="A policy calls a function that is declared immutable and asks who is calling",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
