"""A policy is true for callers who are not signed in.

What it finds
    Permissive policies that come out true for every row when nobody is signed in: `auth.uid() is null` as
    one way to pass, also written with NOT, coalesce, IS DISTINCT FROM or a claim of the token, or inside a
    function that is one expression. For a role that can be without a user: anon, or public.

Why it matters
    The clause was meant for background work, which uses service_role and skips policies anyway. For the API
    it says: whoever does not sign in sees everything.

Fix
    Take the clause out. Let background work connect as service_role.

When to ignore
    Rows that are meant for visitors only, such as a public notice; then say so with a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Facts
from tools.rls.mending import UID
from tools.rls.objects import Policy, Relation
from tools.rls.outcomes import ALWAYS, Asked, outcome
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import disjuncts
from tools.rls.truth import EVERYONE, truth
from tools.rls.wording import altered, listed, on_policy, personal, rank, remark


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy that anon is addressed by and holds a privilege for."""
    anon = snapshot.roles.get("anon")
    for relation in snapshot.relations.values():
        for policy in relation.policies if relation.rls else ():
            if anon is None or not policy.permissive or "anon" not in snapshot.addressed(policy):
                continue
            held = snapshot.exposure(relation).get("anon", frozenset())
            usable = [c for c in ("SELECT", "INSERT", "UPDATE", "DELETE") if c in held and policy.covers(c)]
            if usable and _opens(snapshot, relation, policy, usable):
                yield on_policy(
                    "rls_policy_null_auth_disjunct",
                    Level.ERROR,
                    relation,
                    policy,
                    f"Policy {policy.name} is true when nobody is signed in: anon has {listed(usable)}"
                    " on every"
                    f" row of {relation.title}.",
                    fix=_without_null(relation, policy),
                    rank=rank(snapshot, relation, ["anon"]),
                )


def _without_null(relation: Relation, policy: Policy) -> str:
    """The policy without the alternative; a comment where it does not stand as it is usually printed."""
    alternative = rf"\({UID} IS NULL\)"
    clauses: list[str] = []
    for word, text in (("using", policy.using_text), ("with check", policy.check_text)):
        if text:
            rest = re.sub(rf"{alternative}\s+OR\s+|\s+OR\s+{alternative}", "", text)
            clauses.append(f"{word} ({rest})")
            if rest == text or re.search(alternative, rest):
                return remark(f"in {policy.title}: take out the way that is open when auth.uid() is null")
    return altered(policy, relation, "\n  ".join(clauses))


def _opens(snapshot: Snapshot, relation: Relation, policy: Policy, usable: list[str]) -> bool:
    """Whether every row passes because nobody is signed in, and would not because of the row."""
    reached = reach(snapshot)
    for command in usable:
        facts = policy.new_row if command == "INSERT" else policy.using
        if facts is None or truth(reached, facts, relation) == EVERYONE:
            continue
        if command == "SELECT" and not personal(snapshot, relation) and not _says_null(facts):
            continue
        if outcome(Asked(reached, "anon", signed_in=False, own=relation), facts.root) == ALWAYS:
            return True
    return False


def _says_null(facts: Facts) -> bool:
    return any(part.kind == "NullTest" for part in disjuncts(facts.root))


RULE = Rule(
    name="rls_policy_null_auth_disjunct",
    title="A policy is true for callers who are not signed in",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
