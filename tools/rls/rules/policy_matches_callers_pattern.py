"""The caller chooses the pattern that rows are matched with.

What it finds
    LIKE, ILIKE or a regular expression in a policy (or a function that policies reach) whose pattern comes
    from the caller's e-mail address, a claim of the token or a setting: email ilike auth.email(). The
    caller's uuid holds no wildcards and is left out.

Why it matters
    _ and % are wildcards, and _ is an ordinary letter of e-mail addresses: a_b as the name also matches
    axb, and whoever registers such an address reads the rows of the other person.

Fix
    Compare for equality: lower(email) = lower((select auth.email())).

When to ignore
    Never for rows of people.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.bodies import body_of
from tools.rls.facts import Facts
from tools.rls.reach import Reach, is_identity, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import bare
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

_PATTERNS = frozenset({"~~", "~~*", "~", "~*"})


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy with it, and one per function."""
    reached = reach(snapshot)
    for relation in snapshot.relations.values():
        for policy in relation.policies:
            columns = sorted({name for part in policy.parts() for name in _matched(reached, part)})
            if columns and policy.permissive:
                yield on_policy(
                    "policy_matches_callers_pattern", Level.ERROR, relation, policy,
                    f"Policy {policy.name} on {relation.title} matches {listed(columns)} with a pattern that"
                    " comes from the caller: wildcards in it reach other people's rows.",
                    fix=remark(f"in {policy.title}: compare for equality, lower(...) = lower(...)"),
                    rank=rank(snapshot, relation, snapshot.addressed(policy)) + 3,
                )  # fmt: skip
    for function, policies in reached.policy_functions.values():
        columns = sorted({name for facts in body_of(function).facts for name in _matched(reached, facts)})
        if columns:
            yield on_function(
                "policy_matches_callers_pattern", Level.ERROR, function,
                f"{function.title} matches {listed(columns)} with a pattern that comes from the caller;"
                f" {relying(policies)}.",
                evidence=body_in_short(function),
                fix=remark(f"in {function_name(function)}: compare for equality, lower(...) = lower(...)"),
                rank=25,
            )  # fmt: skip


def _matched(reached: Reach, facts: Facts) -> Iterator[str]:
    for comparison in facts.comparisons:
        column = bare(comparison.left)
        if comparison.operator not in _PATTERNS or column is None or column.kind != "ColumnRef":
            continue
        pattern = facts.within(comparison.right)
        asked = [call for call in pattern.calls if is_identity(call)]
        if "sub" not in pattern.constants and any((c.schema, c.name) != ("auth", "uid") for c in asked):
            yield column.words("fields")[-1]


RULE = Rule(
    name="policy_matches_callers_pattern",
    title="The caller chooses the pattern that rows are matched with",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
