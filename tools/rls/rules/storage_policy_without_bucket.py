"""A storage policy holds in every bucket.

What it finds
    Policies on storage.objects that compare the path or the owner with the caller and never look at
    bucket_id, in a project with more than one bucket.

Why it matters
    What was meant for one bucket (upload your picture into your folder) is allowed in all of them: exports,
    documents, public ones. A later bucket is open in the same way on the day it is made.

Fix
    and bucket_id = '<bucket>' in each alternative.

When to ignore
    Buckets that are all laid out by account, on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.facts import Facts
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import disjuncts
from tools.rls.storage import object_policies
from tools.rls.wording import altered, counted, listed, on_policy, signed_in

_PLACES = frozenset({"name", "owner", "owner_id", "path_tokens"})


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per policy."""
    reached = reach(snapshot)
    if len(snapshot.buckets) < 2:
        return
    for objects, policy, callers in object_policies(snapshot):
        strict = any(
            not p.permissive and any(_names_bucket(part) for part in p.parts()) for p in objects.policies
        )
        if strict or not any(_everywhere(reached, part) for part in policy.parts()):
            continue
        clauses = [
            f"{word} ({text} and bucket_id = '<bucket>')"
            for word, text in (("using", policy.using_text), ("with check", policy.check_text))
            if text
        ]
        yield on_policy(
            "storage_policy_without_bucket", Level.WARN, objects, policy,
            f"Policy {policy.name} names no bucket: {listed(signed_in(callers))} can use it in all"
            f" {counted(len(snapshot.buckets), 'bucket')}.",
            fix=altered(policy, objects, "\n  ".join(clauses)),
            rank=45,
        )  # fmt: skip


def _everywhere(reached: Reach, facts: Facts) -> bool:
    for way in disjuncts(facts.root):
        inner = facts.within(way)
        placed = any(column.name in _PLACES for column in inner.columns)
        if placed and reached.identifies(inner) and not _names_bucket(inner):
            return True
    return False


def _names_bucket(facts: Facts) -> bool:
    return any(column.name == "bucket_id" for column in facts.columns)


RULE = Rule(
    name="storage_policy_without_bucket",
    title="A storage policy holds in every bucket",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
