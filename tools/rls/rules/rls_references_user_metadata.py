"""Access is decided by metadata that people write themselves.

What it finds
    user_metadata of the token, or auth.users.raw_user_meta_data, in a policy or in any function that a policy
    reaches. A function is reported once, with the policies that rely on it. Also a trigger on auth.users that
    copies such metadata into a column by which policies decide: role, organisation, verified. Names and
    pictures that no policy reads are left out.

Why it matters
    Every signed-in person may change the own user_metadata with one call of the auth API, and whoever signs
    up sends it along: role = 'admin' is theirs to set. Only app_metadata is written by services alone.

Fix
    Read app_metadata, or better a table: a token keeps its claims until it expires. In a sign-up trigger
    write a fixed value ('member') and raise it later from a service.

When to ignore
    Never where it decides about access.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.facts import Facts
from tools.rls.mending import redefined, trusted_metadata
from tools.rls.objects import Function, Policy, Relation
from tools.rls.reach import reach
from tools.rls.signup import Copied, copied_from_signup
from tools.rls.snapshot import Snapshot
from tools.rls.wording import (
    altered,
    body_in_short,
    function_name,
    listed,
    on_function,
    on_policy,
    rank,
    relying,
    remark,
)

_COLUMNS = frozenset({"raw_user_meta_data", "user_metadata"})
_NAME = "rls_references_user_metadata"
_MOVE = "-- and let a service write the value there: people cannot write app_metadata"


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy with it, and one per function."""
    for relation in snapshot.relations.values():
        for policy in relation.policies:
            if any(_reads_metadata(part) for part in policy.parts()):
                yield _of_policy(snapshot, relation, policy)
    for function, policies in reach(snapshot).policy_functions.values():
        if any(_reads_metadata(facts) for facts in body_of(function).everything()):
            yield _of_function(snapshot, function, policies)
    for copied in copied_from_signup(snapshot):
        yield _of_trigger(snapshot, copied)


def _of_policy(snapshot: Snapshot, relation: Relation, policy: Policy) -> Finding:
    clauses = [
        f"{word} ({trusted_metadata(text)})"
        for word, text in (("using", policy.using_text), ("with check", policy.check_text))
        if text
    ]
    return on_policy(
        _NAME, Level.ERROR, relation, policy,
        f"Policy {policy.name} on {relation.title} decides by user_metadata, which every signed-in person can"
        " set.",
        fix=altered(policy, relation, "\n  ".join(clauses)) + f"\n{_MOVE}",
        rank=rank(snapshot, relation, snapshot.addressed(policy)),
    )  # fmt: skip


def _of_function(snapshot: Snapshot, function: Function, policies: tuple[Policy, ...]) -> Finding:
    relations = [snapshot.relations[policy.relation] for policy in policies]
    callers = {name for policy in policies for name in snapshot.addressed(policy)}
    fix = redefined(function, trusted_metadata)
    return on_function(
        _NAME,
        Level.ERROR,
        function,
        f"{function.title} decides by user_metadata, which every signed-in person can set;"
        f" {relying(policies)}.",
        evidence=body_in_short(function),
        fix=f"{fix}\n{_MOVE}"
        if fix
        else remark(f"create or replace {function_name(function)}, reading app_metadata or a table"),
        rank=min(rank(snapshot, relation, callers) for relation in relations),
    )


def _of_trigger(snapshot: Snapshot, copied: Copied) -> Finding:
    columns = listed(f"{title}.{name}" for title, name in sorted(copied.places))
    fix = (
        redefined(copied.function, lambda text: trusted_metadata(text, copied.keys)) if copied.keys else None
    )
    return on_function(
        _NAME,
        Level.ERROR,
        copied.function,
        f"{copied.function.title} fills {columns} from the metadata that comes with a sign-up, and policies"
        " decide by that: whoever signs up chooses it.",
        evidence=body_in_short(copied.function),
        fix=f"{fix}\n{_MOVE}"
        if fix
        else remark(f"create or replace {function_name(copied.function)} with a fixed value for {columns}"),
        rank=2,
    )


def _reads_metadata(facts: Facts) -> bool:
    if any(column.name in _COLUMNS for column in facts.columns):
        return True
    return any("user_metadata" in text.strip("{}").split(",") for text in facts.constants)


RULE = Rule(
    name=_NAME,
    title="Access is decided by metadata that people write themselves",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
