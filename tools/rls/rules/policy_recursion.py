"""Policies that ask each other without end.

What it finds
    Tables whose SELECT policies read, in a subquery, the table itself or tables whose SELECT policies lead
    back; also by way of functions that run as their caller. Functions that run as their owner end such a
    chain, and so do views without security_invoker.

Why it matters
    Every query fails with "infinite recursion detected in policy" (42P17), or through a function with "stack
    depth limit exceeded" (54001). It shows when the first person asks, not when the policy is created.

Fix
    Put the lookup into a security definer function with its own search_path, and call that in the policy.

When to ignore
    Never: the table cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.facts import Facts
from tools.rls.objects import Function, Policy
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import altered, listed, on_policy


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per circle of tables, at its first policy."""
    reached = reach(snapshot)
    edges: dict[str, list[tuple[Policy, set[str]]]] = {}
    for relation in snapshot.relations.values():
        if relation.rls:
            edges[relation.title] = [
                (policy, _asked(reached, policy.using))
                for policy in relation.policies
                if policy.covers("SELECT") and policy.using is not None
            ]
    told: set[str] = set()
    for title in sorted(edges):
        circle = _circle(edges, title)
        if circle and title not in told:
            told |= circle
            relation = snapshot.relations[title]
            policy = next(p for p, asked in edges[title] if any(_leads(edges, name, title) for name in asked))
            yield on_policy(
                "policy_recursion", Level.ERROR, relation, policy,
                f"Reading {listed(sorted(circle))} fails with 42P17 (54001 by way of a function): policy"
                f" {policy.name} asks a table whose policies ask {title} again.",
                fix="-- move the lookup into a security definer function and use it in the policy:\n"
                + altered(policy, relation, "using (<id> = any (array(select <function>())))"),
                rank=27,
            )  # fmt: skip


def _asked(reached: Reach, facts: Facts | None) -> set[str]:
    """Tables read with the caller's rights, by the policy itself and by functions that run as it does."""
    found: set[str] = set()
    if facts is None:
        return found
    several = [(source, ()) for source in facts.sources()]
    for function in _as_caller(reached, facts):
        path = reached.path(function)
        several += [(source, path) for part in body_of(function).facts for source in part.sources()]
    for source, path in several:
        relation = reached.relation(source, path)
        if relation is not None and (relation.is_table or relation.invoker):
            found.update(base.title for base in reached.base_tables(relation))
    return found


def _as_caller(reached: Reach, facts: Facts) -> list[Function]:
    """Functions that the policy calls, as far as none of them changes the rights."""
    waiting = [f for call in facts.calls for f in reached.resolve(call)]
    found: dict[int, Function] = {}
    for function in waiting:
        if function.definer or function.schema in PLATFORM_SCHEMAS or function.oid in found:
            continue
        found[function.oid] = function
        waiting.extend(reached.called_by(function))
    return list(found.values())


def _leads(edges: dict[str, list[tuple[Policy, set[str]]]], start: str, goal: str) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        if here == goal:
            return True
        if here not in seen:
            seen.add(here)
            waiting.extend(name for _, asked in edges.get(here, ()) for name in asked)
    return False


def _circle(edges: dict[str, list[tuple[Policy, set[str]]]], title: str) -> set[str]:
    """The tables on a way from this one back to itself."""
    after = {name for _, asked in edges[title] for name in asked if _leads(edges, name, title)}
    return {title, *after} if after else set()


RULE = Rule(
    name="policy_recursion",
    title="Policies that ask each other without end",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
