"""Access is decided by metadata that people write themselves.

What it finds
    user_metadata of the token, or auth.users.raw_user_meta_data, in a policy or in any function that a policy
    reaches. A function is reported once, with the policies that rely on it.

Why it matters
    Every signed-in person may change the own user_metadata with one call of the auth API: role = 'admin' is
    theirs to set. Only app_metadata is written by services alone.

Fix
    Read app_metadata, or better a table: a token keeps its claims until it expires.

When to ignore
    Never where it decides about access.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.facts import Facts
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.rls.wording import altered, function_name, on_function, on_policy, rank, relying

_COLUMNS = frozenset({"raw_user_meta_data", "user_metadata"})


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy with it, and one per function."""
    for relation in snapshot.relations.values():
        for policy in relation.policies:
            if any(_reads_metadata(part) for part in policy.parts()):
                yield on_policy(
                    "rls_references_user_metadata", Level.ERROR, relation, policy,
                    f"Policy {policy.name} on {relation.title} decides by user_metadata, which every"
                    " signed-in"
                    " person can set.",
                    fix=altered(policy, relation, "using (...)  -- the same condition over"
                    " app_metadata or a table"),
                    rank=rank(snapshot, relation, snapshot.addressed(policy)),
                )  # fmt: skip
    for function, policies in reach(snapshot).policy_functions.values():
        if any(_reads_metadata(facts) for facts in body_of(function).everything()):
            relations = [snapshot.relations[policy.relation] for policy in policies]
            callers = {name for policy in policies for name in snapshot.addressed(policy)}
            yield on_function(
                "rls_references_user_metadata",
                Level.ERROR,
                function,
                f"{function.title} decides by user_metadata, which every signed-in person can set;"
                f" {relying(policies)}.",
                evidence=" ".join(function.body.split())[:400],
                fix=f"-- create or replace {function_name(function)}, reading app_metadata or a table",
                rank=min(rank(snapshot, relation, callers) for relation in relations),
            )


def _reads_metadata(facts: Facts) -> bool:
    if any(column.name in _COLUMNS for column in facts.columns):
        return True
    return any("user_metadata" in text.strip("{}").split(",") for text in facts.constants)


RULE = Rule(
    name="rls_references_user_metadata",
    title="Access is decided by metadata that people write themselves",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
